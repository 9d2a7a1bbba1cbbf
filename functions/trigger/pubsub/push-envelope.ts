import type { QueueMessage } from '../../mail/delivery/ports.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import { bytesOf, dataOf, ENCODING_ATTRIBUTE } from '../../mail/model/message-data.ts';
import { KEY_ATTRIBUTE, MAIL_ATTRIBUTE, ROUTE_ATTRIBUTE } from '../../mail/queue/queue-message.ts';
import { parseJson } from '../common/json.ts';

/** An email read from an event: its data, and the id that the event has on every delivery. */
export interface QueueDelivery {
  readonly mail: unknown;
  /** The publisher's idempotency key, or the platform's message id: the same on each redelivery. */
  readonly key: string;
  /** The message as received: this is what is postponed or becomes a dead letter. */
  readonly message: QueueMessage;
  /** The platform's delivery attempt; null if unknown. */
  readonly attempt: number | null;
  /** Why the data is no email, where it is none. */
  readonly failure?: MailFailure;
}

interface Push {
  readonly subscription?: unknown;
  readonly deliveryAttempt?: unknown;
  readonly message?: {
    readonly data?: unknown;
    readonly messageId?: unknown;
    readonly message_id?: unknown;
    readonly attributes?: Record<string, unknown>;
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Reads a request to the worker: a Pub/Sub push envelope, or a CloudEvent (binary or structured) whose data is a push envelope
 * or an email. Throws MailFailure: request_invalid.
 */
export function readDelivery(headers: Headers, contentType: string, body: unknown): QueueDelivery {
  refuseBatch(contentType, body);
  if (contentType === 'application/cloudevents+json') {
    const event = record(body, 'the event');
    return ofEvent(text(event['source']), text(event['id']), event['data'] ?? decoded(event['data_base64']));
  }
  if (headers['ce-id'] !== undefined) return ofEvent(text(headers['ce-source']), text(headers['ce-id']), body);
  return ofPush(envelopeIn(headers, body), '');
}

/** Throws MailFailure: request_invalid. */
function refuseBatch(contentType: string, body: unknown): void {
  if (contentType === 'application/cloudevents-batch+json' || (contentType.startsWith('application/cloudevents') && Array.isArray(body)))
    throw new MailFailure('request_invalid', 'the request is a batch of CloudEvents: deliver each event in a request of its own');
}

/** Throws MailFailure request_invalid if there is no push envelope, for example if payload unwrapping is on. */
function envelopeIn(headers: Headers, body: unknown): Push {
  const push = typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Push) : null;
  if (typeof push?.message === 'object' && push.message !== null) return push;
  if (push && 'subscription' in push && headers[UNWRAPPED] === undefined) return push; // an envelope without a message
  throw new MailFailure('request_invalid', WITHOUT_ENVELOPE);
}

/** Header of a subscription with payload unwrapping and metadata. */
const UNWRAPPED = 'x-goog-pubsub-message-id';
const WITHOUT_ENVELOPE =
  'the request is a payload without a push envelope: turn payload unwrapping off in the subscription (gcloud pubsub subscriptions update SUBSCRIPTION --clear-push-no-wrapper-config)';

/** Why a request cannot be read: headers that show payload unwrapping are the better reason than a parse error of the body. */
export const unreadable = (headers: Headers, failure: MailFailure): MailFailure =>
  headers[UNWRAPPED] !== undefined && failure.code === 'request_invalid' ? new MailFailure(failure.code, WITHOUT_ENVELOPE) : failure;

function ofEvent(source: string, id: string, data: unknown): QueueDelivery {
  const content = record(data, "the event's data");
  if ('message' in content) return ofPush(content as Push, id);
  if (id === '') throw new MailFailure('request_invalid', 'the event has no id');
  return { mail: content, key: `event:${source}:${id}`, message: { data: JSON.stringify(content), attributes: {} }, attempt: null };
}

function ofPush({ message, subscription, deliveryAttempt }: Push, eventId: string): QueueDelivery {
  const id = text(message?.messageId) || text(message?.message_id) || eventId;
  if (!message || id === '') throw new MailFailure('request_invalid', 'the envelope has no message with a messageId');
  const own = text(message.attributes?.['idempotencyKey']);
  const before = text(message.attributes?.[KEY_ATTRIBUTE]); // a replayed dead letter keeps the key of its first delivery
  const { [ENCODING_ATTRIBUTE]: encoding, ...attributes } = texts(message.attributes);
  const packed = Buffer.from(text(message.data), 'base64');
  const bytes = encoding === 'base64' ? Buffer.from(packed.toString('latin1'), 'base64') : packed;
  const kept = dataOf(bytes);
  const mail = parsed(bytes);
  const why = whyNoEmail(message.data, bytes, mail);
  return {
    mail,
    ...(why !== '' && { failure: new MailFailure('request_invalid', why) }),
    message: { data: kept.data, attributes: { ...attributes, ...kept.attributes } },
    key: before || (own ? `own:${own}` : `message:${text(subscription)}:${id}`),
    attempt: typeof deliveryAttempt === 'number' ? deliveryAttempt : null,
  };
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Why the data of a message is no email, as a sentence; '' where it may be one. A publisher reads it in the dead letter. */
function whyNoEmail(data: unknown, bytes: Buffer, value: unknown): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return '';
  const told = (is: string): string => `The data of the message ${is}; publish one email as a JSON object in UTF-8.`;
  if (data !== undefined && data !== null && typeof data !== 'string') return told('is not in base64');
  if (bytes.length === 0) return told('is empty');
  if (Array.isArray(value)) return told('is a list: each email needs a message of its own');
  if (typeof value === 'string') return told('is a text within JSON: it was encoded twice');
  if (value !== undefined) return told('is JSON, and no object');
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return told('is compressed (gzip)');
  if (bytes.includes(0) || !isUtf8(bytes)) return told('is not UTF-8');
  return told('is not valid JSON, or has more than 32 levels');
}

/** An event for a route, in any published form, identified by its publisher's id. */
export interface PushedEvent extends Pick<QueueDelivery, 'key' | 'message' | 'attempt'> {
  /** The parsed JSON; the text itself if it is not JSON; an empty object if there is no data. */
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, string>>;
  /** event_unreadable if the data is not text. */
  readonly failure?: MailFailure;
}

/**
 * Reads an event from a push envelope or a CloudEvent. Its key is the event's id, whichever subscription delivers it. Throws
 * MailFailure request_invalid if the request is neither.
 */
export function readEventDelivery(headers: Headers, contentType: string, body: unknown): PushedEvent {
  refuseBatch(contentType, body);
  const structured = contentType === 'application/cloudevents+json';
  if (!structured && headers['ce-id'] === undefined) return eventOfPush(envelopeIn(headers, body), '');
  const fields = structured
    ? record(body, 'the event')
    : { id: headers['ce-id'], source: headers['ce-source'], type: headers['ce-type'], subject: headers['ce-subject'], data: body };
  const { id, source, type, subject, data, data_base64: encoded } = fields as Record<string, unknown>;
  const content = data ?? decoded(encoded);
  if (typeof content === 'object' && content !== null && 'message' in content) return eventOfPush(content as Push, text(id));
  if (text(id) === '') throw new MailFailure('request_invalid', 'the event has no id');
  return {
    data: content ?? {},
    attributes: texts({ id, source, type, subject }),
    key: `event:${text(source)}:${text(id)}`,
    message: { data: JSON.stringify(content ?? {}), attributes: {} },
    attempt: null,
  };
}

const UNREADABLE = 'the data of the message is neither JSON nor UTF-8 text';

function eventOfPush(push: Push, eventId: string): PushedEvent {
  const { message, attempt } = ofPush(push, eventId);
  const id = text(push.message?.messageId) || text(push.message?.message_id) || eventId;
  const common = { attributes: message.attributes, key: `event:${id}`, message, attempt };
  try {
    return { data: eventIn(bytesOf(message)), ...common };
  } catch {
    return {
      data: null,
      failure: new MailFailure('event_unreadable', UNREADABLE),
      ...common,
    };
  }
}

/** The event of a replayed dead letter, as its route received it first. */
export function replayedEventDelivery({ message, key, attempt }: QueueDelivery): PushedEvent {
  const {
    [KEY_ATTRIBUTE]: _,
    [ROUTE_ATTRIBUTE]: __,
    [MAIL_ATTRIBUTE]: ___,
    [ENCODING_ATTRIBUTE]: ____,
    ...attributes
  } = message.attributes;
  const common = { attributes, key, message: { ...message, attributes: { ...attributes, ...encodingOf(message) } }, attempt };
  try {
    return { data: eventIn(bytesOf(message)), ...common };
  } catch {
    return { data: null, failure: new MailFailure('event_unreadable', UNREADABLE), ...common };
  }
}

const encodingOf = ({ attributes: { [ENCODING_ATTRIBUTE]: encoding } }: QueueMessage): Record<string, string> =>
  encoding === undefined ? {} : { [ENCODING_ATTRIBUTE]: encoding };

/** Throws if the bytes are not UTF-8 text. */
function eventIn(bytes: Buffer): unknown {
  if (bytes.length === 0) return {};
  const words = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  return parsed(bytes) ?? words;
}

/** The JSON in base64 data; undefined if there is none or it is not JSON. The email's parser refuses undefined. */
function decoded(data: unknown): unknown {
  return typeof data === 'string' ? parsed(Buffer.from(data, 'base64')) : undefined;
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes); // with the depth limit of every body
  } catch {
    return undefined;
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new MailFailure('request_invalid', `${what} is not a JSON object`);
}

const texts = (attributes: Readonly<Record<string, unknown>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes ?? {}).map(([name, value]) => [name, text(value)]));

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Refuses an identity token that was issued for another service of the project; without `audience` only IAM decides. IAM has
 * verified the token's signature. Throws MailFailure: key_invalid.
 */
export function checkAudience(authorization: string | undefined, audience: string | null): void {
  if (audience === null) return;
  const payload = /^Bearer +[\w-]+\.([\w-]+)\./i.exec(authorization ?? '')?.[1] ?? '';
  const claims = decoded(payload) as { aud?: unknown } | undefined;
  if (claims?.aud !== audience) throw new MailFailure('key_invalid', 'the identity token is for another audience');
}
