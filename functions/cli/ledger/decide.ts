import type { Entry, LedgerRecord } from '../../mail/delivery/ledger.ts';
import { drop, prepareForDecision, reconcile, release, sendReleased, waitsForRest } from '../../mail/delivery/operator-decisions.ts';
import type { Ports } from '../../mail/delivery/ports.ts';
import type { Config, Mailbox } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { CommandError } from '../common/refusal.ts';
import { confirm, type Terminal } from '../common/terminal.ts';
import { type LedgerRow, ledgerRowOf, type Reader } from './list-emails.ts';

/** The dependencies of `resend` and `drop`; `begin` gives ports with the deadline of one invocation. */
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
  /** True asks Gmail first; false decides without asking. */
  readonly ask: boolean;
  /** The email's request; null if the caller or the queue sends it later. */
  readonly message: unknown;
}

/** The result of a decision. */
export interface DecisionResult {
  readonly ok: boolean;
  readonly changed: boolean;
  readonly dryRun: boolean;
  /** One sentence on what happened or would happen. */
  readonly says: string;
  readonly mail: LedgerRow;
}

/**
 * Releases an email. It first queries the state of the upload session, then tells the operator the risk. Simultaneous calls send
 * one email: the entry is released once, and an invocation must claim it before sending. Throws CommandError, MailFailure.
 */
export async function resend(id: string, choice: DecisionOptions, context: DecisionContext): Promise<DecisionResult> {
  const answer = answering(choice, context);
  const before = await find(id, context);
  const { state } = before.entry;
  if (state === 'sent') return answer(before, false, 'It is already sent.');
  const released = state === 'waiting';
  const { message } = choice;
  const draft =
    message === null ? null : await within(context, async (ports) => prepareForDecision(before, message, context.config, ports));
  if (choice.dryRun) return answer(before, false, `Would ${released ? 'stay released' : 'be released'}. ${riskOf(before.entry)}`.trim());
  const asked = choice.ask && !released ? await ask(before, context) : before;
  if (asked.entry.state === 'sent')
    return answer(asked, true, 'Gmail was asked and has it: it is recorded as sent, and nothing was sent again.');
  if (released && !draft) return answer(before, false, `It is released already. ${NEXT}`);
  const going = asked !== before && waitsForRest(asked); // Gmail answered that it does not have all bytes
  if (!choice.yes && !going && asked.entry.state !== 'waiting') await confirm(riskOf(asked.entry), context.terminal);
  const free = going ? asked : ((await within(context, (ports) => release(asked, ports))) ?? nothing(asked));
  if (!draft) return answer(free, true, `${going ? 'Gmail was asked and waits for the rest of it.' : 'It is released.'} ${NEXT}`);
  const outcome = await within(context, (ports) => sendReleased(free, draft, ports));
  const after = await find(id, context);
  if (outcome.state === 'sent') return answer(after, true, 'It was sent.');
  return { ...answer(after, true, `It was not sent: ${after.entry.code ?? outcome.state}. It is ${after.entry.state} again.`), ok: false };
}

/** Drops an email. Throws CommandError, MailFailure. */
export async function dropMail(id: string, choice: DecisionOptions, context: DecisionContext): Promise<DecisionResult> {
  const answer = answering(choice, context);
  const before = await find(id, context);
  const { state, code } = before.entry;
  if (state === 'failed' && code === 'dropped') return answer(before, false, 'It was dropped before.');
  if (choice.dryRun) return answer(before, false, `Would be dropped: it would never be sent. ${LEFT[state] ?? ''}`.trim());
  if (!choice.yes) await confirm(`This email will never be sent, whatever asks for it. ${LEFT[state] ?? ''}`.trim(), context.terminal);
  const after = (await within(context, (ports) => drop(before, ports))) ?? nothing(before);
  return answer(after, true, 'It is dropped and will never be sent.');
}

const answering =
  ({ dryRun }: DecisionOptions, { reader }: DecisionContext) =>
  ({ entry }: LedgerRecord, changed: boolean, says: string): DecisionResult => ({
    ok: true,
    changed,
    dryRun,
    says,
    mail: ledgerRowOf(entry, reader),
  });

const MAYBE = 'Gmail may have sent it already: Gmail received bytes of it and can no longer report the result. Look into the Sent folder.';
const TWICE = 'If it is there, its recipients get it twice.';
const RISK: Partial<Readonly<Record<Entry['state'], string>>> = {
  unknown: `${MAYBE} ${TWICE}`,
  sending: `${MAYBE} ${TWICE}`,
  failed: 'It was not sent. It fails again if the cause is not fixed.',
};
/** The outcome of a dropped email may have been unknown: the entry no longer records it. */
const riskOf = ({ state, code }: Entry): string => (code === 'dropped' ? `${DROPPED} ${TWICE}` : (RISK[state] ?? ''));
const DROPPED = 'It was dropped. If its outcome was unknown before, Gmail may have sent it: look into the Sent folder.';
const LEFT: Partial<Readonly<Record<Entry['state'], string>>> = { unknown: MAYBE, sending: MAYBE };
const NEXT =
  'The next request with its idempotency key sends it, and so does its queue message when it is published again. To send it now, give its request by --message FILE.';

async function ask(found: LedgerRecord, context: DecisionContext): Promise<LedgerRecord> {
  const { state, sessionUri, code } = found.entry;
  if ((state !== 'unknown' && state !== 'sending') || sessionUri === null || code === 'session_gone') return found;
  const mailbox = context.mailboxOf(found.entry);
  if (!mailbox) throw new CommandError('mailbox_gone', 'the config has no such mailbox, so Gmail cannot be asked');
  return within(context, (ports) => reconcile(found, mailbox, ports));
}

async function find(id: string, context: DecisionContext): Promise<LedgerRecord> {
  const found = await within(context, ({ ledger }) => ledger.read(id));
  if (!found) throw new MailFailure('mail_unknown', `the ledger has no email ${id}`);
  return found;
}

function nothing({ entry }: LedgerRecord): never {
  throw new CommandError('nothing_to_decide', `the email is ${entry.state}`);
}

async function within<T>({ begin }: Pick<DecisionContext, 'begin'>, run: (ports: Ports) => Promise<T>): Promise<T> {
  const ports = begin();
  return run(ports).finally(ports.close);
}

export const decisionText = ({ says, dryRun, mail }: DecisionResult): string =>
  [says, ...(dryRun ? ['Nothing was changed.'] : []), `State: ${mail.state}${mail.code ? ` (${mail.code})` : ''}`].join('\n');
