import type { Outcome } from '../../mail/delivery/outcome.ts';
import type { EmailFields } from '../../mail/message/email.ts';
import { messageId } from '../../mail/message/mime-message.ts';
import { callerMessage, failureInfo, type MailFailure } from '../../mail/model/failure.ts';

/** What a document says of its delivery, in the words of Firebase's Trigger Email; `eventId` is ours. Times are texts. */
export interface Delivery {
  readonly state?: unknown;
  readonly attempts?: unknown;
  readonly startTime?: unknown;
  readonly leaseExpireTime?: unknown;
  readonly error?: unknown;
  /** The event that answers for this delivery: it comes again until there is an end. */
  readonly eventId?: unknown;
}

/**
 * What an event of a document asks for. begin: nobody has taken it up, or the app asks for another try. resume: this very
 * event was taken up before, or another one by a worker that died: the ledger knows how far it came. expire: it was in the
 * extension's hands, or waited for too long. leave: it is done, or in other hands.
 */
export type Step = 'begin' | 'resume' | 'expire' | 'leave';

/** Reads the step off the document as it is now, so that the events of our own writes come to nothing. */
export function stepOf(delivery: Delivery | null, eventId: string, now: number): Step {
  const { state, leaseExpireTime } = delivery ?? {};
  const known = delivery?.eventId === eventId;
  // An event that was taken up before is not the one by which the app asks again: that one has an id of its own.
  if (delivery === null || state === undefined || state === 'PENDING' || state === 'RETRY') return known ? 'leave' : 'begin';
  if (state !== 'PROCESSING') return 'leave';
  if (known) return 'resume';
  if (!(Date.parse(String(leaseExpireTime)) < now)) return 'leave';
  return typeof delivery.eventId === 'string' && (delivery.error ?? null) === null ? 'resume' : 'expire';
}

export type Change = Readonly<Record<string, unknown>>;

/** Fields of the claim: from now on the event answers for the document. */
export function claimed(delivery: Delivery | null, eventId: string, now: number, leaseMs: number, expireDays: number | null): Change {
  return {
    'delivery.state': 'PROCESSING',
    'delivery.attempts': attemptsOf(delivery),
    'delivery.startTime': typeof delivery?.startTime === 'string' ? new Date(delivery.startTime) : new Date(now),
    'delivery.endTime': null,
    'delivery.leaseExpireTime': new Date(now + leaseMs),
    'delivery.error': null,
    'delivery.eventId': eventId,
    ...(expireDays !== null && { 'delivery.expireAt': new Date(now + expireDays * DAY_MS) }),
  };
}

const DAY_MS = 24 * 60 * 60_000;

/** Fields of a delivery that nobody works on any more. */
export const expired = (): Change => ({
  'delivery.state': 'ERROR',
  'delivery.error': 'Message processing lease expired. Set delivery.state to RETRY to have it sent again.',
  'delivery.leaseExpireTime': null,
});

/** Fields of what can never become a mail. */
export function refusedAs(delivery: Delivery | null, failure: MailFailure, now: number): Change {
  return {
    'delivery.state': 'ERROR',
    'delivery.attempts': attemptsOf(delivery) + 1,
    'delivery.endTime': new Date(now),
    'delivery.error': sentence(failure),
    'delivery.leaseExpireTime': null,
  };
}

/** Fields of how an attempt ended. A mail that goes on waiting stays PROCESSING: its event comes again by itself. */
export function endedAs(
  delivery: Delivery | null,
  outcome: Outcome,
  request: EmailFields,
  missing: readonly string[],
  now: number,
): Change {
  if (outcome.state === 'sent' || outcome.state === 'queued')
    return {
      'delivery.state': 'SUCCESS',
      'delivery.attempts': attemptsOf(delivery) + 1,
      'delivery.endTime': new Date(now),
      'delivery.error': null,
      'delivery.leaseExpireTime': null,
      'delivery.info': {
        messageId: messageId(outcome.id, request.from.address),
        accepted: [...request.to, ...request.cc, ...request.bcc].map(({ address }) => address),
        rejected: missing.map((uid) => `uid:${uid}`), // users without an address
        pending: [],
        response: responseOf(outcome),
      },
    };
  if (outcome.state === 'canceled') return expired();
  if (outcome.state === 'failed' || (outcome.state === 'unknown' && !outcome.askable)) return refusedAs(delivery, outcome.failure, now);
  return {
    'delivery.attempts': attemptsOf(delivery) + 1,
    'delivery.error': sentence(outcome.failure),
    // For so long Eventarc delivers an event again; where a task queue does, until it has.
    'delivery.leaseExpireTime': new Date(Math.max(now, 'notBefore' in outcome ? outcome.notBefore : now) + DAY_MS),
  };
}

function responseOf(outcome: Extract<Outcome, { state: 'sent' | 'queued' }>): string {
  if (outcome.state === 'queued') return `queued as ${outcome.id}`;
  const refused = outcome.rejected ? `; ${outcome.rejected} of the recipients were refused` : '';
  return `accepted by Gmail as ${outcome.gmailId}${refused}`;
}

const attemptsOf = (delivery: Delivery | null): number => (typeof delivery?.attempts === 'number' ? delivery.attempts : 0);

const sentence = (failure: MailFailure): string =>
  `${failure.code}: ${callerMessage(failure)}${failureInfo(failure.code).blame === 'caller' ? ` ${failureInfo(failure.code).fix}` : ''}`;

/** 204 acknowledges the event; anything else is delivered again, for up to a day. The document itself keeps the content. */
export function verdict(outcome: Outcome): 204 | 429 | 503 {
  if (outcome.unrecorded || outcome.state === 'retry') return 503;
  if (outcome.state === 'unknown') return outcome.askable ? 503 : 204;
  return outcome.state === 'parked' ? 429 : 204;
}
