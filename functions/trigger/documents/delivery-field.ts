import type { Outcome } from '../../mail/delivery/outcome.ts';
import type { EmailFields } from '../../mail/message/email.ts';
import { messageId } from '../../mail/message/mime-message.ts';
import { callerMessage, failureInfo, type MailFailure } from '../../mail/model/failure.ts';

/** The `delivery` field of a document, as Firebase's Trigger Email defines it; `eventId` is ours. Times are texts. */
export interface DeliveryField {
  readonly state?: unknown;
  readonly attempts?: unknown;
  readonly startTime?: unknown;
  readonly leaseExpireTime?: unknown;
  readonly error?: unknown;
  /** Id of the event that is responsible for this delivery: it is redelivered until the delivery ends. */
  readonly eventId?: unknown;
}

/**
 * What an event of a document leads to. begin: no worker has claimed the document, or the app asks for a retry. resume: this
 * event claimed the document before, or a worker that died did: the ledger has the progress. expire: the extension had the
 * document, or it waited too long. leave: the delivery has ended, or another worker has the document.
 */
export type DocumentStep = 'begin' | 'resume' | 'expire' | 'leave';

/** Decides from the document's current state, so that events of our own writes have no effect. */
export function stepOf(delivery: DeliveryField | null, eventId: string, now: number): DocumentStep {
  const { state, leaseExpireTime } = delivery ?? {};
  const known = delivery?.eventId === eventId;
  // A retry by the app is a new event with a new id, so an event that claimed the document before is no retry.
  if (delivery === null || state === undefined || state === 'PENDING' || state === 'RETRY') return known ? 'leave' : 'begin';
  if (state !== 'PROCESSING') return 'leave';
  if (known) return 'resume';
  if (!(Date.parse(String(leaseExpireTime)) < now)) return 'leave';
  return typeof delivery.eventId === 'string' && (delivery.error ?? null) === null ? 'resume' : 'expire';
}

export type Change = Readonly<Record<string, unknown>>;

/** The fields that claim the document for this event. */
export function claimed(delivery: DeliveryField | null, eventId: string, now: number, leaseMs: number, expireDays: number | null): Change {
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

/** The fields of a delivery whose lease has expired. */
export const expired = (): Change => ({
  'delivery.state': 'ERROR',
  'delivery.error': 'Message processing lease expired. Set delivery.state to RETRY to have it sent again.',
  'delivery.leaseExpireTime': null,
});

/** The fields of a document that cannot become an email. */
export function refusedAs(delivery: DeliveryField | null, failure: MailFailure, now: number): Change {
  return {
    'delivery.state': 'ERROR',
    'delivery.attempts': attemptsOf(delivery) + 1,
    'delivery.endTime': new Date(now),
    'delivery.error': sentence(failure),
    'delivery.leaseExpireTime': null,
  };
}

/** The fields for the outcome of an attempt. A waiting email stays PROCESSING: its event is redelivered. */
export function endedAs(
  delivery: DeliveryField | null,
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
    // Eventarc redelivers an event for this long; a task queue, if there is one, redelivers until it succeeds.
    'delivery.leaseExpireTime': new Date(Math.max(now, 'notBefore' in outcome ? outcome.notBefore : now) + DAY_MS),
  };
}

function responseOf(outcome: Extract<Outcome, { state: 'sent' | 'queued' }>): string {
  if (outcome.state === 'queued') return `queued as ${outcome.id}`;
  const refused = outcome.rejected ? `; ${outcome.rejected} of the recipients were refused` : '';
  return `accepted by Gmail as ${outcome.gmailId}${refused}`;
}

const attemptsOf = (delivery: DeliveryField | null): number => (typeof delivery?.attempts === 'number' ? delivery.attempts : 0);

const sentence = (failure: MailFailure): string =>
  `${failure.code}: ${callerMessage(failure)}${failureInfo(failure.code).blame === 'caller' ? ` ${failureInfo(failure.code).fix}` : ''}`;
