import type { Entry } from '../../functions/mail/delivery/ledger.ts';
import type { Asked } from './plan.ts';

/** A mail in the fake mailbox. */
export interface Arrived {
  readonly id: string;
  readonly recipients: readonly string[];
}

/** An API's last word on a request for the mail to that recipient. */
export interface Answer {
  readonly recipient: string;
  readonly status: number;
  readonly id: string | null;
}

/** What became of the mails of a run; the lists name recipients. */
export interface Verdict {
  readonly sent: number;
  readonly failed: number;
  readonly parked: number;
  readonly unknown: number;
  /** Mails that arrived more than once: how many copies too many. */
  readonly duplicates: readonly string[];
  /** Accepted, and neither there nor recorded as anything that explains it. */
  readonly lost: readonly string[];
  /** The ledger says something that the mailbox denies, or an API said something that the ledger denies. */
  readonly untrue: readonly string[];
  /** In the mailbox, and nobody asked for it. */
  readonly stray: readonly string[];
  /** Not at an end yet. */
  readonly open: readonly string[];
  readonly attempts: number;
}

/** Whether nothing more will happen to the mail by itself. */
export const isOver = ({ state, code }: Pick<Entry, 'state' | 'code'>): boolean =>
  state === 'sent' || state === 'failed' || state === 'parked' || (state === 'unknown' && code === 'session_gone');

// A mail that never came into the queue was not accepted: nobody may have been told that it was.
const NOT_ACCEPTED: ReadonlySet<string | null> = new Set(['queue_unavailable', 'queue_refused', 'queue_missing']);

/** Holds the ledger and the mailbox against what was asked for and answered. Entries carry their recipients in clear. */
export function judge(
  asked: readonly Asked[],
  entries: readonly Entry[],
  mailbox: readonly Arrived[],
  answers: readonly Answer[] = [],
): Verdict {
  const acceptedFor = Map.groupBy(
    answers.filter(({ status }) => status === 200),
    ({ recipient }) => recipient,
  );
  const entriesOf = Map.groupBy(entries, ({ recipients }) => recipients[0] ?? '');
  const arrivedFor = Map.groupBy(mailbox, ({ recipients }) => recipients[0] ?? '');
  const known = new Set(asked.map(({ recipient }) => recipient));
  const verdict = { sent: 0, failed: 0, parked: 0, unknown: 0 };
  const [duplicates, lost, untrue, open]: string[][] = [[], [], [], []];
  for (const { recipient } of asked) {
    const records = entriesOf.get(recipient) ?? [];
    const there = arrivedFor.get(recipient) ?? [];
    for (let copies = 1; copies < there.length; copies++) duplicates?.push(recipient);
    const [record] = records;
    if (!record) lost?.push(recipient);
    else if (records.length > 1) untrue?.push(recipient);
    else if (!isOver(record)) open?.push(`${recipient} (${record.state} ${record.code ?? ''}, ${record.attempts} attempts)`);
    else {
      verdict[record.state as keyof typeof verdict]++;
      const accepted = acceptedFor.get(recipient) ?? [];
      const denied = record.state === 'failed' && NOT_ACCEPTED.has(record.code);
      if (accepted.some(({ id }) => id !== record.id || denied)) untrue?.push(`${recipient} (answered as accepted)`);
      if (record.state === 'sent' && there.length === 0) lost?.push(recipient);
      else if (record.state === 'sent' && !there.some(({ id }) => id === record.gmailId)) untrue?.push(recipient);
      else if ((record.state === 'failed' || record.state === 'parked') && there.length > 0) untrue?.push(recipient);
    }
  }
  return {
    ...verdict,
    duplicates: duplicates ?? [],
    lost: lost ?? [],
    untrue: untrue ?? [],
    open: open ?? [],
    stray: mailbox.flatMap(({ recipients }) => (recipients.length === 1 && known.has(recipients[0] ?? '') ? [] : [recipients.join(' ')])),
    attempts: entries.reduce((sum, { attempts }) => sum + attempts, 0),
  };
}

/** Whether every accepted mail is there once or recorded truthfully, and nothing else is there. */
export const isGood = ({ duplicates, lost, untrue, stray, open }: Verdict): boolean =>
  [duplicates, lost, untrue, stray, open].every(({ length }) => length === 0);
