import { knownOf } from '../../diagnose/known-failures.ts';
import { AWAITED, type Entry, isOverdue, type State } from '../../mail/delivery/ledger.ts';
import { type Decision, decisionsFor } from '../../mail/delivery/operator-decisions.ts';
import { FAILURE_CODES, type FailureCode, failureInfo } from '../../mail/model/failure.ts';
import type { LedgerQuery } from './ledger-query.ts';

/** An email of the ledger, for people: never content, and never the session URI, which authorises like a password. */
export interface LedgerRow {
  readonly id: string;
  readonly state: State;
  /** The caller: the id of an API key, or a platform. */
  readonly caller: string;
  /** The mailbox's address if the configuration has it; else its stored form, a hash. */
  readonly mailbox: string;
  readonly recipients: readonly string[];
  readonly accepted: string;
  readonly attempts: number;
  readonly gmailId: string | null;
  readonly threadId: string | null;
  readonly rejected: number;
  readonly code: FailureCode | null;
  /** Fields of the request that the code is about. */
  readonly fields?: string;
  /** As `name=value`; absent for none. */
  readonly tags?: readonly string[];
  /** Reports that came back about it. */
  readonly bounces?: Entry['bounces'];
  readonly summary: string | null;
  readonly fix: string | null;
  /** The row and the cause in the catalogue of `explain`. */
  readonly catalogue: string | null;
  readonly cause: string | null;
  readonly notBefore: string | null;
  /** Until then an invocation works on it; null where none does. */
  readonly heldUntil: string | null;
  /** Accepted, and its queue message is overdue. */
  readonly overdue: boolean;
  readonly forgotten: string;
  /** What an operator may decide about it now. */
  readonly may: readonly Decision[];
}

/** What is needed to read the ledger: the address of each hash, and the time. */
export interface Reader {
  readonly mailboxOf: (shown: string) => string;
  readonly now: number;
}

export function ledgerRowOf(entry: Entry, { mailboxOf, now }: Reader): LedgerRow {
  const {
    id,
    state,
    caller,
    mailbox,
    recipients,
    acceptedAt,
    attempts,
    gmailId,
    threadId = null,
    rejected = 0,
    notBefore,
    leaseUntil,
    expireAt,
  } = entry;
  const code = FAILURE_CODES.find((one) => one === entry.code) ?? null;
  const { summary = null, fix = null } = code ? failureInfo(code) : {};
  return {
    id,
    state,
    caller,
    mailbox: mailboxOf(mailbox),
    recipients,
    accepted: timeOf(acceptedAt),
    attempts,
    gmailId,
    threadId,
    rejected,
    code,
    ...(entry.fields !== undefined && { fields: entry.fields }),
    ...(entry.bounces && { bounces: entry.bounces }),
    ...(entry.tags && { tags: entry.tags.map(({ name, value }) => `${name}=${value}`) }),
    summary,
    fix,
    ...(code ? knownOf(code) : { catalogue: null, cause: null }),
    notBefore: notBefore === null ? null : timeOf(notBefore),
    heldUntil: leaseUntil > now ? timeOf(leaseUntil) : null,
    overdue: isOverdue(entry, now),
    forgotten: timeOf(expireAt),
    may: decisionsFor(entry, now),
  };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** The filter of `ledger list`. */
export interface EmailFilter {
  readonly states: readonly State[];
  /** Also emails that were claimed and left (their lease ran out ten minutes ago), and overdue emails. */
  readonly abandoned: boolean;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** In its stored form; null for every mailbox. */
  readonly mailbox: readonly string[] | null;
  readonly recipient: readonly string[] | null;
  /** As `name=value`; absent for any. */
  readonly tag?: string;
  readonly limit: number;
}

export interface EmailList {
  readonly mails: readonly LedgerRow[];
  /** More emails than could be read are in these states: the list may lack the newest ones. */
  readonly truncated: boolean;
}

const READ_MAX = 10_000;
const BEGUN: readonly State[] = ['claimed', 'sending'];
const LEFT_MS = 10 * 60_000; // a queue redelivers within that time

const isLeft = ({ state, leaseUntil }: Entry, now: number): boolean => BEGUN.includes(state) && leaseUntil < now - LEFT_MS;

/**
 * The newest emails that match, newest first. For a recipient all states are read, because a recipient has few emails; a state may
 * have more emails than can be read.
 */
export async function listMails(wanted: EmailFilter, query: LedgerQuery, reader: Reader): Promise<EmailList> {
  const { states, abandoned, since, mailbox, recipient, tag, limit } = wanted;
  const sought = abandoned ? [...new Set([...states, ...BEGUN, ...AWAITED])] : states;
  const entries = await query(tag !== undefined ? { tag } : recipient === null ? { states: sought } : { recipients: recipient }, READ_MAX);
  const fitting = entries
    .filter((one) => states.includes(one.state) || (abandoned && (isLeft(one, reader.now) || isOverdue(one, reader.now))))
    .filter((one) => one.acceptedAt >= since && one.expireAt > reader.now)
    .filter((one) => mailbox === null || mailbox.includes(one.mailbox))
    .filter(({ recipients }) => recipient === null || recipients.some((one) => recipient.includes(one)))
    .sort((a, b) => b.acceptedAt - a.acceptedAt);
  return { mails: fitting.slice(0, limit).map((one) => ledgerRowOf(one, reader)), truncated: entries.length >= READ_MAX };
}

/** The meaning of an empty list depends on the query: without a filter it means that all is well. */
export function listText({ mails, truncated }: EmailList, everything = false): string {
  const lines = mails.map(
    ({ id, state, accepted, code, mailbox, attempts, heldUntil, overdue }) =>
      `${id}  ${state.padEnd(9)}  ${accepted.slice(0, 19)}Z  ${(code ?? (BEGUN.includes(state) && !heldUntil ? 'nobody holds it' : overdue ? 'overdue' : '')).padEnd(18)}  ${mailbox}  ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
  );
  return [
    ...(lines.length > 0
      ? lines
      : [everything ? 'No email needs attention. ledger list --state sent shows those that were sent.' : 'No such email.']),
    ...(truncated ? [`Only ${READ_MAX} emails were read: narrow it by --state or --to.`] : []),
  ].join('\n');
}

export function mailText(mail: LedgerRow): string {
  const facts: [string, string | null][] = [
    ['state', mail.state],
    ['accepted', mail.accepted],
    ['asked by', mail.caller],
    ['mailbox', mail.mailbox],
    ['recipients', `${mail.recipients.length}${mail.rejected > 0 ? `, ${mail.rejected} of them refused` : ''}`],
    ['attempts', String(mail.attempts)],
    ['gmail id', mail.gmailId],
    ['thread id', mail.threadId],
    ['in Gmail', mail.threadId && `https://mail.google.com/mail/?authuser=${mail.mailbox}#all/${mail.threadId}`],
    ['not before', mail.notBefore],
    ['held until', mail.heldUntil],
    ['overdue', mail.overdue ? 'yes: its message has not come' : null],
    ['code', mail.code],
    ['fields', mail.fields ?? null],
    ['bounced', mail.bounces?.map(({ at, type, subType }) => `${new Date(at).toISOString()} ${type} ${subType}`).join(', ') ?? null],
    ['tags', mail.tags?.join(', ') ?? null],
    ['meaning', mail.summary],
    ['cause', mail.cause],
    ['fix', mail.fix],
    ['forgotten', mail.forgotten],
  ];
  const may = mail.may.map((one) => `npx mailgrant ledger ${one} ${mail.id}`);
  return [
    mail.id,
    ...facts.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(10)}  ${value}`])),
    ...(may.length > 0 ? ['You may:', ...may.map((one) => `  ${one}`)] : ['There is nothing to decide about it now.']),
  ].join('\n');
}
