import type { LedgerRecord } from '../delivery/ledger.ts';
import { allows, apply } from '../delivery/transitions.ts';
import { addEvent } from '../events/outbox.ts';
import type { Bounce, BounceKind } from '../model/email-event.ts';
import { MailFailure } from '../model/failure.ts';
import { kindByHeaders, kindOf } from './bounce-kind.ts';
import { type DeliveryStatus, readDeliveryStatus } from './delivery-status.ts';
import type { BouncePorts, ReceivedHeaders } from './inbox-ports.ts';
import { mayJudge, type Report, readReport } from './read-report.ts';

/**
 * What a message of a mailbox is. `bounced`: recorded now; `repeated`: recorded before; `delayed`: still being tried; `delivered`: a
 * report of success; `foreign`: about none of our emails; `ambiguous`: about one of several, and it does not say which; `forged`: its
 * sender is not who it says; `unreadable`: Gmail refuses what is asked about it.
 */
export type Verdict =
  | 'other'
  | 'auto_reply'
  | 'bounced'
  | 'repeated'
  | 'delayed'
  | 'delivered'
  | 'foreign'
  | 'ambiguous'
  | 'forged'
  | 'unreadable';

const NOT_RECEIVED = ['SENT', 'DRAFT', 'SPAM'];
/** A report may return the whole email, attachments too; what matters is in the first few kilobytes. */
const RAW_MAX_BYTES = 5_000_000;
const BOUNCES_MAX = 50;
const TRIES = 5;

/** Finds out what a message is; a bounce of one of our emails is recorded with its email, and its recipient suppressed. */
export async function judgeMessage(message: ReceivedHeaders, mailbox: string, ports: BouncePorts): Promise<Verdict> {
  if (message.labels.some((label) => NOT_RECEIVED.includes(label))) return 'other';
  const report = readReport(message.headers);
  if (report === null) return 'other';
  if (report === 'auto_reply') return report;
  if (report.proof === 'forged') return 'forged';
  const raw = message.bytes <= RAW_MAX_BYTES ? await ports.inbox.raw(message.id) : null;
  const body = raw === null ? null : readDeliveryStatus(raw);
  const outcomes = outcomesOf(report, body);
  if (outcomes === 'delayed' || outcomes === 'delivered') return outcomes;
  const named = outcomes.flatMap(({ recipient }) => recipient ?? []);
  const found = await emailOf(message, report, body, named, mailbox, ports);
  return typeof found === 'string' ? found : record(found, message, report, outcomes, ports);
}

interface Failed {
  /** null where the report does not say whom it is about. */
  readonly recipient: string | null;
  readonly kind: BounceKind;
}

function outcomesOf(report: Report, body: DeliveryStatus | null): readonly Failed[] | 'delayed' | 'delivered' {
  if (body && body.recipients.length > 0) {
    const kinds = body.recipients.map(({ recipient, action, status }) => ({ recipient, kind: kindOf(action, status) }));
    const failed = kinds.flatMap(({ recipient, kind }) => (kind !== null && kind !== 'delayed' ? [{ recipient, kind }] : []));
    if (failed.length > 0) return failed;
    return kinds.some(({ kind }) => kind === 'delayed') ? 'delayed' : 'delivered';
  }
  if (report.kind === 'delayed') return 'delayed';
  const kind = kindByHeaders(report.kind === 'failed');
  return report.failed.length > 0 ? report.failed.map((recipient) => ({ recipient, kind })) : [{ recipient: null, kind }];
}

const OUR_ID = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:@|$)/;
const idIn = (text: string | null): string | null => OUR_ID.exec(text ?? '')?.[1] ?? null;

/**
 * The email that a report is about: by our id where it names that, by the thread where Gmail has replaced the Message-ID. Only an
 * email from this mailbox counts: whoever can write to a mailbox must not reach the emails of another.
 */
async function emailOf(
  { threadId }: ReceivedHeaders,
  { about }: Report,
  body: DeliveryStatus | null,
  named: readonly string[],
  mailbox: string,
  ports: BouncePorts,
): Promise<LedgerRecord | 'foreign' | 'ambiguous'> {
  const isOurs = (one: LedgerRecord | null): one is LedgerRecord => one !== null && isOf(one, mailbox, ports);
  const byId = async (id: string): Promise<LedgerRecord | 'foreign'> => {
    const found = await ports.find(id);
    return isOurs(found) ? found : 'foreign';
  };
  const own = idIn(body?.emailId ?? null) ?? idIn(body?.messageId ?? null) ?? idIn(about);
  if (own !== null) return byId(own);
  const wanted = about ?? body?.messageId ?? null;
  if (wanted !== null) {
    const sent = (await ports.inbox.thread(threadId)).find((headers) => idOf(headers, 'message-id') === `<${wanted}>`);
    const id = sent && idIn(idOf(sent, 'x-mailgrant-id'));
    if (sent) return id ? byId(id) : 'foreign';
  }
  const there = (await ports.findByThread(threadId)).filter(isOurs);
  const fitting = named.length > 0 ? there.filter(({ entry }) => named.some((one) => shownIn(entry, one, ports) !== null)) : there;
  const [only, ...more] = fitting;
  return more.length > 0 ? 'ambiguous' : (only ?? 'foreign');
}

const idOf = (headers: readonly { readonly name: string; readonly value: string }[], name: string): string | null =>
  headers.find((one) => one.name.toLowerCase() === name)?.value.trim() ?? null;

const isOf = ({ entry }: LedgerRecord, mailbox: string, { pseudonym }: BouncePorts): boolean =>
  [mailbox, pseudonym(mailbox)].includes(entry.mailbox);

/** A recipient as the entry has it; null where it is none of its recipients. */
function shownIn({ recipients }: LedgerRecord['entry'], address: string, { pseudonym }: BouncePorts): string | null {
  const hashed = pseudonym(address);
  return recipients.find((one) => one === hashed || one.toLowerCase() === address) ?? null;
}

async function record(
  found: LedgerRecord,
  message: ReceivedHeaders,
  report: Report,
  failed: readonly Failed[],
  ports: BouncePorts,
): Promise<'bounced' | 'repeated' | 'foreign'> {
  const isKnown = ({ entry }: LedgerRecord): boolean => (entry.bounces ?? []).some((one) => one.message === message.id);
  if (isKnown(found)) return 'repeated';
  if (!hasLeft(found, ports)) return 'foreign';
  // An email to one person can have failed for that one only.
  const alone = found.entry.recipients.length === 1 ? found.entry.recipients[0] : undefined;
  const judged = failed.map(({ recipient, kind }) => ({
    recipient,
    shown: recipient === null ? (alone ?? null) : shownIn(found.entry, recipient, ports),
    kind: report.proof === 'proven' ? kind : UNPROVEN,
  }));
  for (const { recipient, shown, kind } of judged)
    if (ports.suppress && recipient !== null && shown !== null && kind.type === 'Permanent' && mayJudge(report, recipient))
      await ports.suppress(ports.pseudonym(recipient), { email: found.entry.id, since: message.at });
  const bounces = bouncesOf(judged, message);
  for (let tries = 0, there: LedgerRecord | null = found; there && tries < TRIES; tries++) {
    if (isKnown(there) || (there.entry.bounces ?? []).length >= BOUNCES_MAX) return 'repeated';
    if (!hasLeft(there, ports)) return 'foreign';
    const after = bounces.reduce(
      (entry, bounce) =>
        addEvent(
          apply(entry, { type: 'bounce', bounce }),
          { type: 'email.bounced', bounce: { type: bounce.type, subType: bounce.subType } },
          ports.events,
        ),
      there.entry,
    );
    if (await ports.replace(there, after)) {
      for (const { type, subType } of bounces) ports.onBounce({ id: there.entry.id, type, sub_type: subType });
      return 'bounced';
    }
    there = await ports.find(there.entry.id);
  }
  throw new MailFailure('ledger_unavailable', 'the entry of a bounced email changed again and again');
}

/** Whether the email has left. Throws MailFailure: in_flight, while the outcome of its transfer is being recorded. */
function hasLeft({ entry }: LedgerRecord, { events }: BouncePorts): boolean {
  if (!allows(entry, 'bounce')) return false;
  if (entry.leaseUntil > events.now()) throw new MailFailure('in_flight', 'the email that bounced is being sent');
  return true;
}

const UNPROVEN: BounceKind = { type: 'Undetermined', subType: 'Undetermined' };

/** One bounce for each kind, with its recipients. */
function bouncesOf(judged: readonly { readonly shown: string | null; readonly kind: BounceKind }[], { id, at }: ReceivedHeaders): Bounce[] {
  const kinds = Map.groupBy(judged, ({ kind: { type, subType } }) => `${type} ${subType}`);
  return [...kinds.values()].flatMap((alike) => {
    const [first] = alike;
    return first ? [{ ...first.kind, message: id, at, recipients: [...new Set(alike.flatMap(({ shown }) => shown ?? []))] }] : [];
  });
}
