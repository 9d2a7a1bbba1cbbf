import { knownOutcome, recordFailure, takeOver } from '../delivery/claim.ts';
import type { LedgerRecord } from '../delivery/ledger.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { countersOf, limitsFor } from '../delivery/rate-limits.ts';
import { sendClaimed } from '../delivery/send.ts';
import type { QueuedContent } from '../message/prepared-email.ts';
import { type PreparedEmail, prepareEmail } from '../message/prepared-email.ts';
import { callerOf, isKey } from '../model/caller.ts';
import type { Caller, Config } from '../model/config.ts';
import { failureInfo, MailFailure, toFailure } from '../model/failure.ts';
import { publish } from './enqueue.ts';
import { contentHash, readContent } from './queue-message.ts';

/**
 * Continues with an email that was accepted before and arrives by its queue message. Its caller is in the ledger, and must still
 * be allowed to send. Throws MailFailure: mail_unknown, message_foreign, in_flight, and failures that may pass.
 */
export async function resume(
  id: string,
  message: QueueMessage,
  config: Config,
  ports: Ports,
): Promise<{ outcome: Outcome; caller: string }> {
  const found = await ports.ledger.read(id);
  if (!found) throw new MailFailure('mail_unknown', 'The ledger does not know the email that the message is about.');
  return { outcome: await goOn(found, message, config, ports), caller: found.entry.caller };
}

async function goOn(found: LedgerRecord, message: QueueMessage, config: Config, ports: Ports): Promise<Outcome> {
  const past = knownOutcome(found.entry, ports.now());
  if (past && past.state !== 'queued') return past;
  let content: QueuedContent;
  try {
    content = await readContent(message, ports);
  } catch (error) {
    if (toFailure(error).code !== 'content_gone') throw error;
    return recordFailure(found, toFailure(error), ports);
  }
  if (contentHash(content, ports.digest) !== found.entry.messageHash)
    throw new MailFailure('message_foreign', 'the ledger knows another message under this id');
  if (past) return publish(found.entry, content, ports); // the message came before its time: its caller has moved the email
  let draft: PreparedEmail;
  let caller: Caller;
  try {
    ({ draft, caller } = await prepareFromQueue(content, found.entry.caller, config, ports));
  } catch (error) {
    const failure = toFailure(error);
    if (failureInfo(failure.code).retry !== 'never') throw failure;
    return recordFailure(found, failure, ports);
  }
  const rules = limitsFor(isKey(caller.id, config) ? null : caller, draft.sender.mailbox, ports); // a key's own limits were counted at acceptance
  const claim = await takeOver(found, countersOf(rules), ports);
  return sendClaimed(claim, draft, rules, ports);
}

async function prepareFromQueue(
  { form, data }: QueuedContent,
  id: string,
  config: Config,
  ports: Ports,
): Promise<{ draft: PreparedEmail; caller: Caller }> {
  const caller = callerOf(id, config, ports.now());
  if (!caller) throw new MailFailure('key_invalid', 'The key that asked for the email may no longer send.');
  const body: unknown = JSON.parse(data);
  if (form === 'mail') return { draft: prepareEmail(body, caller, config, ports), caller };
  const { prepareQueuedRawMessage } = await import('../message/raw-message.ts');
  return { draft: prepareQueuedRawMessage(body, caller, config, ports.digest), caller };
}
