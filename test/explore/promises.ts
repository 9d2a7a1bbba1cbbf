import type { Entry } from '../../functions/mail/delivery/ledger.ts';
import { PUBLISHER } from '../../functions/mail/model/caller.ts';
import { type FailureCode, failureInfo } from '../../functions/mail/model/failure.ts';
import { DELIVERIES_MAX } from '../../functions/mail/queue/retry-policy.ts';
import type { Ended } from './scenario.ts';

/** What is promised of every mail, whatever happens on its way; each promise that was broken, in words. */
export function broken({ scenario, office, told, canceled, risked, released, unanswered }: Ended): string[] {
  const wrong = [...office.wrong];
  // A command that refuses is an answer; any other error is a fault of the core.
  for (const { by, said } of told) if (said === 'unexpected' || /(?<!^Command)Error/.test(said)) wrong.push(`${by} was told ${said}`);
  for (const by of unanswered) wrong.push(`${by} asked again and again, and was never told how it ended`);
  const takenOf = (id: string): string[] => office.gmail.taken.filter(({ email }) => email === id).map(({ gmailId }) => gmailId);
  // Where the ledger did not answer, a dead letter is known by its key only; by it `dead replay` has the same mail sent.
  const buried = (id: string): boolean =>
    office.dead.some(
      ({ attributes: { mailgrantId, mailgrantMail, mailgrantKey } }) =>
        mailgrantId === id ||
        mailgrantMail === id ||
        (mailgrantKey !== undefined && keyOf(id) === office.keyHash(PUBLISHER.id, mailgrantKey)),
    );
  const keyOf = (id: string): string | undefined => office.ledger.entries.get(id)?.entry.key;
  const givenUp = (id: string): boolean => told.some((one) => one.id === id && one.by.includes(`delivery ${DELIVERIES_MAX},`));
  const dropped = ({ state, code }: Entry): boolean => state === 'failed' && code === 'dropped';

  for (const { entry } of office.ledger.entries.values()) {
    const { id, state, code, gmailId } = entry;
    const name = `mail ${id.slice(-2)} (${state}${code ? `, ${code}` : ''})`;
    const taken = takenOf(id);
    const risks = risked.get(id) ?? 0;
    // Over SMTP an email that the search does not find is sent once more, and never a third time.
    if (taken.length > (1 + risks) * (scenario.via === 'smtp' ? 2 : 1))
      wrong.push(`${name} is there ${taken.length} times, and a person risked it ${risks} times`);
    if (state === 'sent' && !taken.includes(gmailId ?? '')) wrong.push(`${name} is not in Gmail as ${gmailId}`);
    // After a person's risk only the email that was let go is taken back: docs/delivery.md says so.
    if (canceled.has(id) && (taken.length > risks || state !== 'canceled')) wrong.push(`${name} was canceled with an OK`);
    const open = state === 'sent' || state === 'unknown' || state === 'sending';
    if (!open && taken.length > 0 && risks === 0 && !dropped(entry)) wrong.push(`${name} is in Gmail`);
    if (state === 'failed' && code === null) wrong.push(`${name} has no reason`);
  }

  // What an operator must mend would be lost with its message: its content is nowhere else.
  for (const { by, id, said, at } of told) {
    const entry = id === null ? undefined : office.ledger.entries.get(id)?.entry;
    if (id === null || said !== 'failed' || !/acknowledged$/.test(by) || entry?.state !== 'failed' || dropped(entry)) continue;
    // Acknowledged while it was dropped, and released later: the person who released it brings the message.
    if (at < (released.get(id) ?? 0)) continue;
    if (failureInfo(entry.code as FailureCode).blame !== 'caller' && !buried(id))
      wrong.push(`mail ${id.slice(-2)} (${entry.code}) was acknowledged by ${by} and lies nowhere`);
  }
  for (const { by, id, said, at, gmailId } of told) {
    const accepted = said === 'sent' || said === 'queued' || /acknowledged$/.test(by);
    if (!accepted || id === null) continue;
    const entry = office.ledger.entries.get(id)?.entry;
    const name = `mail ${id.slice(-2)} (${entry?.state}${entry?.code ? `, ${entry.code}` : ''}), of which ${by} was told ${said},`;
    const taken = takenOf(id);
    if (said === 'sent' && !taken.includes(gmailId ?? '')) wrong.push(`${name} is not there as ${gmailId}`);
    if (said === 'sent') continue;
    // A dead letter does not make up for it: its caller was told that the queue has the mail.
    if (said === 'queued' && /^ask /.test(by) && neverAccepted(entry) && !(at < (office.begunAnew.get(id) ?? 0)))
      wrong.push(`${name} is recorded as never accepted`);
    if (!entry) wrong.push(`${name} is in no ledger`);
    else if (
      !isExplained(entry) &&
      !(entry.state === 'unknown' && givenUp(id)) &&
      !buried(id) &&
      !(released.has(id) && LEFT_TO_ITS_PERSON.includes(entry.state)) &&
      !(at < (office.begunAnew.get(id) ?? 0)) // it had ended; who began it anew and died had no answer, and asks again
    )
      wrong.push(`${name} has vanished`);
  }
  for (const { attributes } of office.dead)
    if (attributes['reason'] === undefined && !office.topic.some(({ deliveries }) => deliveries >= DELIVERIES_MAX))
      wrong.push('a dead letter has no reason');
  return wrong;
}

/** A mail that failed and was let go by a person has no message of its own: who takes it up and dies leaves it to that person. */
const LEFT_TO_ITS_PERSON: readonly string[] = ['waiting', 'parked', 'claimed', 'sending', 'unknown'];

/** Whether the ledger says that the mail's message could not be put into the queue. */
const neverAccepted = (entry: Entry | undefined): boolean => entry?.state === 'failed' && (entry.code ?? '').startsWith('queue_');

/** Whether the ledger says something that it can be left at: nothing waits for a message that does not come. */
function isExplained(entry: Entry): boolean {
  const { state, code } = entry;
  if (state === 'sent' || state === 'canceled') return true;
  if (state === 'unknown') return code === 'session_gone';
  return state === 'failed' && code !== null && !neverAccepted(entry);
}
