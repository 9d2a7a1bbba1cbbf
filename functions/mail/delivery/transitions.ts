import type { Bounce } from '../model/email-event.ts';
import { type FailureCode, MailFailure } from '../model/failure.ts';
import type { Entry, State } from './ledger.ts';

/**
 * Pure. Every change of a ledger entry is one of these events: `TABLE` says from which state to which, and `apply` is the only
 * place that says what an event sets. A test compares the table in docs/delivery.md with this one.
 */
export type Event =
  | { readonly type: 'claim'; readonly claimId: string; readonly leaseUntil: number }
  | { readonly type: 'open'; readonly sessionUri: string; readonly mimeHash: string; readonly mimeBytes: number }
  | { readonly type: 'repeat'; readonly at: number }
  | { readonly type: 'ask' }
  | { readonly type: 'accept'; readonly gmailId: string; readonly threadId?: string; readonly rejected?: number }
  | { readonly type: 'fail'; readonly code: FailureCode; readonly fields?: string; readonly proof?: RefusalProof | null }
  | { readonly type: 'retry' | 'park'; readonly code: FailureCode; readonly notBefore: number | null; readonly proof?: RefusalProof | null }
  | { readonly type: 'lose'; readonly code: 'delivery_unknown' | 'session_gone' }
  | { readonly type: 'enqueue'; readonly contentHash: string; readonly claimId: string }
  | { readonly type: 'republish'; readonly contentHash?: string; readonly claimId?: string }
  | { readonly type: 'reschedule'; readonly notBefore: number; readonly expireAt: number }
  | { readonly type: 'resubmit'; readonly fresh: Entry; readonly claimId: string }
  | { readonly type: 'cancel' | 'release' | 'drop' | 'clearDeadLetter' }
  | { readonly type: 'bounce'; readonly bounce: Bounce }
  | { readonly type: 'deadLetter'; readonly at: number };

/**
 * Why Gmail cannot have the email although its session is open: no byte was handed to the session, or Gmail refused the first
 * upload of the whole email and the session does not hold all bytes. From `sending`, only one of these proofs lets an email fail,
 * park or retry: once bytes were handed over, only the session decides.
 */
export type RefusalProof = 'not_sent' | 'refused';

type Type = Event['type'];
type Steps = Partial<Readonly<Record<State, State>>>;

const same = (...states: State[]): Steps => Object.fromEntries(states.map((state) => [state, state]));
const all = (to: State, ...from: State[]): Steps => Object.fromEntries(from.map((state) => [state, to]));

/** Which event is allowed in which state, and the state that it leads to. */
export const TABLE: Readonly<Record<Type, Steps>> = {
  claim: { ...all('claimed', 'queued', 'scheduled', 'claimed', 'waiting', 'parked'), ...all('sending', 'sending', 'unknown') },
  open: all('sending', 'claimed'),
  repeat: same('sending'),
  ask: same('sending'),
  accept: all('sent', 'sending', 'claimed'),
  fail: all('failed', 'queued', 'scheduled', 'claimed', 'sending', 'waiting', 'parked'),
  retry: all('waiting', 'claimed', 'sending'),
  park: all('parked', 'claimed', 'sending'),
  lose: all('unknown', 'sending'),
  enqueue: { waiting: 'queued', parked: 'parked' },
  republish: same('queued', 'scheduled', 'waiting', 'parked', 'unknown', 'sending'),
  reschedule: same('scheduled'),
  resubmit: all('claimed', 'failed'), // or `queued`, or `scheduled`: as the new request wants
  cancel: all('canceled', 'queued', 'scheduled', 'waiting', 'parked'),
  release: all('waiting', 'failed', 'unknown', 'sending', 'claimed'),
  drop: all('failed', 'queued', 'scheduled', 'claimed', 'sending', 'waiting', 'parked', 'failed', 'unknown'),
  bounce: same('sent', 'sending', 'unknown'),
  deadLetter: same('failed', 'unknown'),
  clearDeadLetter: same('failed', 'queued', 'scheduled', 'claimed', 'sending', 'waiting', 'parked', 'unknown'),
};

/** When each event happens, for the docs. */
export const WHEN: Readonly<Record<Type, string>> = {
  claim:
    'an invocation starts to work on the email, or takes it over after another invocation’s lease ran out; a session that holds bytes stays',
  open: 'the upload session is open, and its URI is stored before the first byte leaves',
  repeat: 'over SMTP only: the reply was lost, and Gmail’s search does not find the email; it is sent a second time, and never a third',
  ask: 'an operator queried Gmail, and Gmail holds a part: the next claim continues in the same session',
  accept: 'Gmail has the email; also if the session of an earlier, refused attempt shows it later',
  fail: 'the email can never be sent: refused, not sent for 40 hours, or its caller may no longer send it',
  retry: 'provably not sent, and may be sent soon',
  park: 'provably not sent, and may not be sent for hours',
  lose: 'bytes were handed to the session, and the session does not say what happened to them',
  enqueue: 'a direct attempt hands the email to the worker',
  republish: 'its queue message is published again, or postponed',
  reschedule: 'the caller moves it to another time',
  resubmit: 'the caller requests a failed email again',
  cancel: 'the caller cancels it before any byte of it has left',
  release: 'an operator releases it, to be sent again; from `unknown` and `sending` the recipients may have it already',
  drop: 'an operator ends it',
  bounce: 'a delivery status notification about the email came back to its mailbox',
  deadLetter: 'its dead letter was published',
  clearDeadLetter: 'its dead letter was published to the queue again',
};

/** Whether the event is allowed in the state of the entry. */
export const allows = ({ state }: Pick<Entry, 'state'>, type: Type): boolean => TABLE[type][state] !== undefined;

/** Whether any event leads from one state to the other. */
export const hasTransition = (from: State, to: State): boolean =>
  Object.values(TABLE).some((steps) => steps[from] === to) || (from === 'failed' && (to === 'queued' || to === 'scheduled'));

/** The entry after the event. An event that the table does not allow is a programming error and never reaches the ledger. */
export function apply(entry: Entry, event: Event): Entry {
  const state = TABLE[event.type][entry.state];
  if (state === undefined) throw new MailFailure('unexpected', `ledger event ${event.type} in state ${entry.state}`);
  const unsent = event.type === 'fail' || event.type === 'retry' || event.type === 'park';
  if (unsent && entry.state === 'sending' && !event.proof)
    throw new MailFailure('unexpected', `ledger event ${event.type} without proof that nothing was sent`);
  return { ...changed(entry, event), state: event.type === 'resubmit' ? event.fresh.state : state };
}

const REST = { leaseUntil: 0 };
/** Nobody queries the session of an email in a final state, so the entry does not keep that secret. */
const NO_SESSION = { sessionUri: null, mimeHash: null };

function changed(entry: Entry, event: Event): Entry {
  switch (event.type) {
    case 'claim':
      return { ...entry, leaseUntil: event.leaseUntil, claimId: event.claimId, attempts: entry.attempts + 1, code: null, notBefore: null };
    case 'open':
      return { ...entry, sessionUri: event.sessionUri, mimeHash: event.mimeHash, mimeBytes: event.mimeBytes };
    case 'repeat':
      return { ...entry, repeatedAt: event.at };
    case 'ask':
      return { ...entry, ...REST };
    case 'accept': {
      const { gmailId, threadId, rejected } = event;
      const said = { gmailId, ...(threadId && { threadId }), ...(rejected && { rejected }) };
      return { ...entry, ...REST, ...NO_SESSION, ...said, code: null, notBefore: null };
    }
    case 'fail':
      return { ...entry, ...REST, ...NO_SESSION, code: event.code, ...(event.fields && { fields: event.fields }), notBefore: null };
    case 'drop':
      return { ...entry, ...REST, ...NO_SESSION, code: 'dropped', notBefore: null };
    case 'retry':
    case 'park': // the session stays: the next attempt queries it before it opens another one
      return { ...entry, ...REST, code: event.code, notBefore: event.notBefore };
    case 'lose':
      return { ...entry, ...REST, code: event.code, notBefore: null };
    case 'enqueue':
      return { ...entry, messageHash: event.contentHash, claimId: event.claimId };
    case 'republish':
      return { ...entry, ...(event.contentHash && { messageHash: event.contentHash }), ...(event.claimId && { claimId: event.claimId }) };
    case 'reschedule':
      return { ...entry, notBefore: event.notBefore, scheduledAt: event.notBefore, expireAt: Math.max(entry.expireAt, event.expireAt) };
    case 'resubmit': // the queue message, the dead letter and the session of the failed email do not belong to the new one
      return { ...event.fresh, id: entry.id, attempts: entry.attempts + event.fresh.attempts, claimId: event.claimId };
    case 'cancel':
      return { ...entry, ...REST, ...NO_SESSION, code: null, notBefore: null };
    case 'release': {
      // A second failure must publish a second dead letter, or its content is lost. The bounces stay: their reports are known by them.
      const { deadLetterAt: _, repeatedAt: __, fields: ___, lastEvent: ____, ...rest } = entry;
      return { ...rest, ...REST, ...NO_SESSION, code: null, notBefore: null };
    }
    case 'bounce':
      return { ...entry, lastEvent: 'bounced', bounces: [...(entry.bounces ?? []), event.bounce] };
    case 'deadLetter':
      return { ...entry, deadLetterAt: event.at };
    case 'clearDeadLetter': {
      const { deadLetterAt: _, ...rest } = entry;
      return rest;
    }
  }
}
