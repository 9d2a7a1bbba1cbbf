import type { Entry, LedgerRecord } from '../../mail/delivery/ledger.ts';
import { drop, goesOn, prepareForDecision, reconcile, release, sendAgain } from '../../mail/delivery/operator-decisions.ts';
import type { Ports } from '../../mail/delivery/ports.ts';
import type { Config, Mailbox } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { CommandError } from '../common/refusal.ts';
import { confirm, type Terminal } from '../common/terminal.ts';
import { type EmailSummary, type Reader, shown } from './list-emails.ts';

/** What the commands that decide work with; `begin` gives ports with the time of one invocation. */
export interface DecisionContext {
  readonly config: Config;
  readonly begin: () => Ports;
  readonly reader: Reader;
  readonly mailboxOf: (entry: Entry) => Mailbox | null;
  readonly terminal: Terminal;
}

export interface DecisionOptions {
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** Gmail is asked first; false decides without its answer. */
  readonly ask: boolean;
  /** The mail as it was asked for; null leaves the sending to whoever has it. */
  readonly message: unknown;
}

/** What came of a decision. */
export interface DecisionResult {
  readonly ok: boolean;
  readonly changed: boolean;
  readonly dryRun: boolean;
  /** What happened, or would happen, in a sentence. */
  readonly says: string;
  readonly mail: EmailSummary;
}

/**
 * Lets a mail go out again. Gmail is asked first what it knows; then the person is told what may happen. Any number of
 * these at once make one letter: the entry is released once, and whoever sends it must claim it. Throws Refused, MailFailure.
 */
export async function resend(id: string, choice: DecisionOptions, context: DecisionContext): Promise<DecisionResult> {
  const answer = answering(choice, context);
  const before = await find(id, context);
  const { state } = before.entry;
  if (state === 'sent') return answer(before, false, 'It was sent: there is nothing to send again.');
  const released = state === 'waiting';
  const { message } = choice;
  const draft =
    message === null ? null : await within(context, async (ports) => prepareForDecision(before, message, context.config, ports));
  if (choice.dryRun) return answer(before, false, `Would ${released ? 'stay released' : 'be released'}. ${riskOf(before.entry)}`.trim());
  const asked = choice.ask && !released ? await ask(before, context) : before;
  if (asked.entry.state === 'sent')
    return answer(asked, true, 'Gmail was asked and has it: it is recorded as sent, and nothing was sent again.');
  if (released && !draft) return answer(before, false, `It is released already. ${NEXT}`);
  const going = asked !== before && goesOn(asked); // Gmail itself said that it has not all of it
  if (!choice.yes && !going && asked.entry.state !== 'waiting') await confirm(riskOf(asked.entry), context.terminal);
  const free = going ? asked : ((await within(context, (ports) => release(asked, ports))) ?? nothing(asked));
  if (!draft) return answer(free, true, `${going ? 'Gmail was asked and waits for the rest of it.' : 'It is released.'} ${NEXT}`);
  const outcome = await within(context, (ports) => sendAgain(free, draft, ports));
  const after = await find(id, context);
  if (outcome.state === 'sent') return answer(after, true, 'It was sent.');
  return { ...answer(after, true, `It was not sent: ${after.entry.code ?? outcome.state}. It is ${after.entry.state} again.`), ok: false };
}

/** Ends a mail for good. Throws Refused, MailFailure. */
export async function dropMail(id: string, choice: DecisionOptions, context: DecisionContext): Promise<DecisionResult> {
  const answer = answering(choice, context);
  const before = await find(id, context);
  const { state, code } = before.entry;
  if (state === 'failed' && code === 'dropped') return answer(before, false, 'It was dropped before.');
  if (choice.dryRun) return answer(before, false, `Would be dropped: nothing would send it any more. ${LEFT[state] ?? ''}`.trim());
  if (!choice.yes)
    await confirm(`Nothing will send this mail any more, whoever asks for it. ${LEFT[state] ?? ''}`.trim(), context.terminal);
  const after = (await within(context, (ports) => drop(before, ports))) ?? nothing(before);
  return answer(after, true, 'It is dropped: nothing sends it any more.');
}

const answering =
  ({ dryRun }: DecisionOptions, { reader }: DecisionContext) =>
  ({ entry }: LedgerRecord, changed: boolean, says: string): DecisionResult => ({
    ok: true,
    changed,
    dryRun,
    says,
    mail: shown(entry, reader),
  });

const MAYBE =
  'It may be with its recipients already: Gmail took bytes of it and cannot say what became of them. Look into the Sent folder.';
const TWICE = 'If it is there, they will have it twice.';
const RISK: Partial<Readonly<Record<Entry['state'], string>>> = {
  unknown: `${MAYBE} ${TWICE}`,
  sending: `${MAYBE} ${TWICE}`,
  failed: 'It was not sent. What made it fail will make it fail again, unless that is mended.',
};
/** A mail that was dropped may have been one of which nobody knew: its entry no longer tells. */
const riskOf = ({ state, code }: Entry): string => (code === 'dropped' ? `${DROPPED} ${TWICE}` : (RISK[state] ?? ''));
const DROPPED = 'It was dropped. If that was while nobody knew of it, it may be with its recipients already: look into the Sent folder.';
const LEFT: Partial<Readonly<Record<Entry['state'], string>>> = { unknown: MAYBE, sending: MAYBE };
const NEXT =
  'The next request with its idempotency key sends it, so does its message when it is published again; or give what was asked for by --message FILE.';

async function ask(found: LedgerRecord, context: DecisionContext): Promise<LedgerRecord> {
  const { state, handle, code } = found.entry;
  if ((state !== 'unknown' && state !== 'sending') || handle === null || code === 'session_gone') return found;
  const mailbox = context.mailboxOf(found.entry);
  if (!mailbox) throw new CommandError('mailbox_gone', 'the config has no such mailbox, so Gmail cannot be asked');
  return within(context, (ports) => reconcile(found, mailbox, ports));
}

async function find(id: string, context: DecisionContext): Promise<LedgerRecord> {
  const found = await within(context, ({ ledger }) => ledger.read(id));
  if (!found) throw new MailFailure('mail_unknown', `the ledger has no mail ${id}`);
  return found;
}

function nothing({ entry }: LedgerRecord): never {
  throw new CommandError('nothing_to_decide', `the mail is ${entry.state}`);
}

async function within<T>({ begin }: Pick<DecisionContext, 'begin'>, run: (ports: Ports) => Promise<T>): Promise<T> {
  const ports = begin();
  return run(ports).finally(ports.close);
}

export const decisionText = ({ says, dryRun, mail }: DecisionResult): string =>
  [says, ...(dryRun ? ['Nothing was changed.'] : []), `State: ${mail.state}${mail.code ? ` (${mail.code})` : ''}`].join('\n');
