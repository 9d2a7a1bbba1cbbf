import { type FailureCode, failureInfo, MailFailure, toFailure } from '../model/failure.ts';
import type { BouncePorts, HistoryMark } from './inbox-ports.ts';
import { judgeMessage, type Verdict } from './judge-message.ts';

/** What was found in a mailbox: how many messages of each kind, and whether its history had a gap. */
export type Found = Readonly<Partial<Record<Verdict, number>>> & {
  readonly messages: number;
  readonly gap: boolean;
  /** Why the last of the unreadable messages could not be looked at. */
  readonly code?: FailureCode;
  readonly detail?: string;
};

const DAY_MS = 24 * 60 * 60_000;
/** How far back, and over how many messages, a gap in the history is bridged. */
const GAP_MS = 7 * DAY_MS;
const GAP_MESSAGES = 300;
const CLOCKS_MS = 60 * 60_000;
const AT_ONCE = 5;

/**
 * Looks through what is new in a mailbox, and records each bounce. `notified` is the point that a notification names, null where
 * nobody asked: a point that was passed already asks Gmail nothing, so a repeated or late notification costs one read of the mark.
 * The mark moves on only behind what was looked at; an interruption has the same messages looked at again, and each bounce is known
 * by its message. A message that would fail the same way each time is counted, and does not stop the mark. Throws MailFailure.
 */
export async function findBounces(mailbox: string, notified: string | null, ports: BouncePorts): Promise<Found> {
  const { inbox, marks } = ports;
  const counts: Partial<Record<Verdict, number>> = {};
  let messages = 0;
  let unreadable: Pick<Found, 'code' | 'detail'> = {};
  const look = async (ids: readonly string[], until: (at: number) => boolean = () => false): Promise<void> => {
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      if (!ports.hasTime()) throw new MailFailure('google_unavailable', 'there was no time for all new messages');
      const read = await Promise.all(ids.slice(from, from + AT_ONCE).map((id) => inbox.read(id).catch(failureOfOne)));
      for (const message of read) {
        if (!message) continue;
        if (!(message instanceof MailFailure) && until(message.at)) return;
        const judged = message instanceof MailFailure ? message : await judgeMessage(message, mailbox, ports).catch(failureOfOne);
        if (judged instanceof MailFailure) unreadable = { code: judged.code, detail: judged.message };
        const verdict = judged instanceof MailFailure ? 'unreadable' : judged;
        counts[verdict] = (counts[verdict] ?? 0) + 1;
        messages++;
      }
    }
  };

  const mark = await marks.read(mailbox);
  if (mark && notified !== null && BigInt(notified) <= BigInt(mark.historyId)) return { messages, gap: false };
  const now = ports.events.now();
  let from: HistoryMark | null = mark;
  while (from) {
    const page = await inbox.since(from.historyId);
    if (!page) break;
    await look(page.ids);
    await marks.advance(mailbox, { historyId: page.historyId, at: now });
    if (!page.more) return { ...counts, ...unreadable, messages, gap: false };
    from = { historyId: page.historyId, at: now };
  }
  const historyId = await inbox.latest(); // before the messages are listed: what comes meanwhile is looked at twice, not never
  const oldest = Math.max(now - GAP_MS, (mark?.at ?? 0) - CLOCKS_MS);
  await look(await inbox.recent(GAP_MESSAGES), (at) => at < oldest);
  await marks.advance(mailbox, { historyId, at: now });
  return { ...counts, ...unreadable, messages, gap: true };
}

/** Why one message can never be looked at. Rethrows a failure that may pass, or that concerns the whole mailbox. */
function failureOfOne(error: unknown): MailFailure {
  const failure = toFailure(error);
  const { retry, blame } = failureInfo(failure.code);
  if (retry !== 'never' || (blame === 'operator' && failure.code !== 'unexpected')) throw failure;
  return failure;
}
