import type { DatabaseSync } from 'node:sqlite';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';
import { createDeliveryLoop } from './delivery-loop.ts';

/** A message as it was published; `data` is decoded. */
export interface Published {
  readonly id: string;
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A push subscription. Times are in milliseconds; the bounds are those of Pub/Sub's documentation. */
export interface FakeSubscription {
  /** `projects/P/subscriptions/S`. */
  readonly name: string;
  readonly topic: string;
  readonly endpoint: string;
  readonly audience?: string;
  readonly ackDeadlineMs?: number;
  readonly minimumBackoffMs?: number;
  readonly maximumBackoffMs?: number;
  readonly deadLetter?: { readonly topic: string; readonly maxDeliveryAttempts: number };
}

export interface PubSub extends AsyncDisposable {
  answer(request: FakeRequest): FakeReply;
  createTopic(name: string): void;
  subscribe(subscription: FakeSubscription): void;
  /** A pull subscription: messages that are published from now on wait there until they are acknowledged. */
  keep(subscription: string, topic: string): void;
  /** Every message that was ever published on the topic, in order. */
  published(topic: string): Published[];
  has(topic: string): boolean;
  /** Publishes a text, as another service of Google's does. */
  publish(topic: string, data: string): void;
  /** Delivers everything that is due now, until every message is acknowledged or waits for a later time. */
  flush(): Promise<void>;
  /** How many messages are not acknowledged. */
  waiting(): number;
}

type Row = { seq: number; topic: string; data: string; attributes: string; published_at: number };
type Delivery = Row & { subscription: string; attempts: number };

/**
 * The fake of Pub/Sub: topics, and push subscriptions that deliver until the endpoint answers 102, 200, 201, 202 or 204, with
 * growing pauses, and then publish to a dead-letter topic. Messages outlive the process; a message is delivered at least once.
 */
export function createPubSub(db: DatabaseSync, oauth: OAuth, now: () => number, auto: boolean): PubSub {
  db.exec(`CREATE TABLE IF NOT EXISTS topics(name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS messages(seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, data TEXT NOT NULL, attributes TEXT NOT NULL, published_at INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS deliveries(subscription TEXT NOT NULL, seq INTEGER NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER NOT NULL, PRIMARY KEY(subscription, seq)) STRICT;
    CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries(subscription, next_at, seq)`);
  const subscriptions = new Map<string, FakeSubscription>();
  const pulled = new Map<string, string>();
  const inHand = new Set<string>();
  const keyOf = (subscription: string, seq: number): string => `${subscription} ${seq}`;

  const publish = (topic: string, data: string, attributes: Readonly<Record<string, string>>): string => {
    const { lastInsertRowid } = db
      .prepare('INSERT INTO messages(topic, data, attributes, published_at) VALUES (?, ?, ?, ?)')
      .run(topic, data, JSON.stringify(attributes), now());
    for (const one of subscriptions.values())
      if (one.topic === topic) db.prepare('INSERT INTO deliveries VALUES (?, ?, 0, ?)').run(one.name, lastInsertRowid, now());
    for (const [name, of] of pulled)
      if (of === topic) db.prepare('INSERT INTO deliveries VALUES (?, ?, 0, ?)').run(name, lastInsertRowid, now());
    return String(lastInsertRowid);
  };

  const push = async (delivery: Delivery): Promise<void> => {
    const subscription = subscriptions.get(delivery.subscription);
    if (!subscription) return;
    const { seq } = delivery;
    const attempts = delivery.attempts + 1;
    const { minimumBackoffMs = 10_000, maximumBackoffMs = 600_000, deadLetter } = subscription;
    inHand.add(keyOf(subscription.name, seq));
    const nextAt = now() + Math.min(maximumBackoffMs, minimumBackoffMs * 2 ** (attempts - 1));
    db.prepare('UPDATE deliveries SET attempts = ?, next_at = ? WHERE subscription = ? AND seq = ?').run(
      attempts,
      nextAt,
      subscription.name,
      seq,
    );
    const acknowledged = await deliver(subscription, delivery, attempts);
    inHand.delete(keyOf(subscription.name, seq));
    const forget = (): unknown => db.prepare('DELETE FROM deliveries WHERE subscription = ? AND seq = ?').run(subscription.name, seq);
    if (acknowledged) forget();
    else if (deadLetter && attempts >= deadLetter.maxDeliveryAttempts) {
      const source = subscription.name.split('/').at(-1) ?? '';
      publish(deadLetter.topic, delivery.data, {
        ...(JSON.parse(delivery.attributes) as Record<string, string>),
        CloudPubSubDeadLetterSourceDeliveryCount: String(attempts),
        CloudPubSubDeadLetterSourceSubscription: source,
      });
      forget();
    }
  };

  const pump = createDeliveryLoop(
    (limit) => {
      // One subscription at a time: messages that wait to be pulled, or for a deleted subscription, must not block those that are
      // pushed.
      const rows = [...subscriptions.keys()].flatMap(
        (name) =>
          db
            .prepare(
              'SELECT d.subscription, d.attempts, d.next_at, m.* FROM deliveries d JOIN messages m USING (seq) WHERE d.subscription = ? ORDER BY d.next_at, d.seq LIMIT ?',
            )
            .all(name, limit + inHand.size) as (Delivery & { next_at: number })[],
      );
      return rows
        .filter(({ subscription, seq }) => !inHand.has(keyOf(subscription, seq)))
        .sort((a, b) => a.next_at - b.next_at || a.seq - b.seq)
        .slice(0, limit)
        .map((row) => ({ at: row.next_at, run: () => push(row) }));
    },
    now,
    auto,
  );

  const exists = (topic: string): boolean => db.prepare('SELECT 1 FROM topics WHERE name = ?').get(topic) !== undefined;
  const createTopic = (name: string): void => void db.prepare('INSERT OR IGNORE INTO topics VALUES (?)').run(name);

  return {
    createTopic,
    subscribe(subscription) {
      subscriptions.set(subscription.name, subscription);
      pump.poke();
    },
    published: (topic) =>
      (db.prepare('SELECT * FROM messages WHERE topic = ? ORDER BY seq').all(topic) as Row[]).map(({ seq, data, attributes }) => ({
        id: String(seq),
        data: Buffer.from(data, 'base64').toString('utf8'),
        attributes: JSON.parse(attributes) as Record<string, string>,
      })),
    has: exists,
    publish(topic, data) {
      publish(topic, Buffer.from(data).toString('base64'), {});
      pump.poke();
    },
    keep: (subscription, topic) => void pulled.set(subscription, topic),
    flush: pump.flush,
    waiting: () =>
      (db.prepare('SELECT subscription FROM deliveries').all() as { subscription: string }[]).filter((one) => !pulled.has(one.subscription))
        .length,
    answer(request) {
      const [, subscription = '', act] = /^\/v1\/(projects\/[^/]+\/subscriptions\/[^/:]+):(\w+)$/.exec(request.path) ?? [];
      const [, topic = '', verb] = /^\/v1\/(projects\/[^/]+\/topics\/[^/:]+)(?::(\w+))?$/.exec(request.path) ?? [];
      if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
      if (act !== undefined)
        return pulled.has(subscription)
          ? onPulled(subscription, act, jsonOf(request) as Ask)
          : cloudError(404, 'NOT_FOUND', `Resource not found (resource=${subscription.split('/').at(-1)}).`);
      if (request.method === 'PUT' && verb === undefined) {
        createTopic(topic);
        return { status: 200, body: { name: topic } };
      }
      if (!exists(topic)) return cloudError(404, 'NOT_FOUND', `Resource not found (resource=${topic.split('/').at(-1)}).`);
      if (request.method !== 'POST' || verb !== 'publish') return { status: 200, body: { name: topic } };
      if (request.body.length > REQUEST_MAX_BYTES)
        return cloudError(
          400,
          'INVALID_ARGUMENT',
          `The value for request_size is too large. You passed ${request.body.length} in the request, but the maximum value is ${REQUEST_MAX_BYTES}.`,
        );
      const { messages = [] } = (jsonOf(request) ?? {}) as { messages?: { data?: string; attributes?: Record<string, string> }[] };
      if (messages.length === 0 || messages.some(({ data, attributes }) => !data && Object.keys(attributes ?? {}).length === 0))
        return cloudError(
          400,
          'INVALID_ARGUMENT',
          'One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute.',
        );
      const messageIds = messages.map(({ data = '', attributes = {} }) => publish(topic, data, attributes));
      pump.poke();
      return { status: 200, body: { messageIds } };
    },
    [Symbol.asyncDispose]: () => pump[Symbol.asyncDispose](),
  };

  /** A pull returns at once, even if nothing waits; a pulled message is held for a minute. */
  function onPulled(subscription: string, act: string, { maxMessages = 1, ackIds = [], ackDeadlineSeconds = 0 }: Ask): FakeReply {
    const later = (seq: number | string, ms: number): unknown =>
      db.prepare('UPDATE deliveries SET next_at = ? WHERE subscription = ? AND seq = ?').run(now() + ms, subscription, seq);
    if (act === 'acknowledge')
      for (const seq of ackIds) db.prepare('DELETE FROM deliveries WHERE subscription = ? AND seq = ?').run(subscription, seq);
    if (act === 'modifyAckDeadline') for (const seq of ackIds) later(seq, ackDeadlineSeconds * 1_000);
    if (act !== 'pull') return { status: 200, body: {} };
    const rows = db
      .prepare(
        'SELECT m.* FROM deliveries d JOIN messages m USING (seq) WHERE d.subscription = ? AND d.next_at <= ? ORDER BY d.next_at, d.seq LIMIT ?',
      )
      .all(subscription, now(), maxMessages) as Row[];
    const receivedMessages = rows.map(({ seq, data, attributes, published_at }) => {
      later(seq, 60_000);
      const publishTime = new Date(published_at).toISOString();
      return { ackId: String(seq), message: { data, attributes: JSON.parse(attributes), messageId: String(seq), publishTime } };
    });
    return { status: 200, body: { receivedMessages } };
  }

  async function deliver(
    subscription: FakeSubscription,
    { seq, data, attributes, published_at }: Delivery,
    attempt: number,
  ): Promise<boolean> {
    const id = String(seq);
    const publishTime = new Date(published_at).toISOString();
    const message = { data, attributes: JSON.parse(attributes), messageId: id, message_id: id, publishTime, publish_time: publishTime };
    const body = { message, subscription: subscription.name, ...(subscription.deadLetter && { deliveryAttempt: attempt }) };
    return fetch(subscription.endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(subscription.audience && { authorization: identityToken(subscription.audience) }),
      },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.any([pump.signal, AbortSignal.timeout(subscription.ackDeadlineMs ?? 60_000)]),
    }).then(
      async (reply) => {
        await reply.arrayBuffer();
        return ACKNOWLEDGES.has(reply.status);
      },
      () => false,
    );
  }
}

type Ask = { readonly maxMessages?: number; readonly ackIds?: readonly string[]; readonly ackDeadlineSeconds?: number };

const ACKNOWLEDGES = new Set([102, 200, 201, 202, 204]);
const REQUEST_MAX_BYTES = 10_000_000; // cloud.google.com/pubsub/quotas: a publish request

/** In the form that Google's front end leaves of an identity token: without the signature. */
function identityToken(aud: string): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `Bearer ${part({ alg: 'RS256' })}.${part({ aud, iss: 'https://accounts.google.com' })}.SIGNATURE_REMOVED_BY_GOOGLE`;
}
