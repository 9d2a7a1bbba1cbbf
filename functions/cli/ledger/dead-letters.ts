import type { PulledMessage, Subscription } from '../../google/queue/pubsub-subscription.ts';
import type { Entry } from '../../mail/delivery/ledger.ts';
import { drop, release, unbury } from '../../mail/delivery/operator-decisions.ts';
import type { Ports, Queue, QueueMessage } from '../../mail/delivery/ports.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import { DIGEST_ATTRIBUTE, emailIdOf, KEY_ATTRIBUTE, MAIL_ATTRIBUTE, ROUTE_ATTRIBUTE } from '../../mail/queue/queue-message.ts';

/** A dead letter, for people: never its content. */
export interface DeadLetter {
  /** Pub/Sub's id of it. */
  readonly id: string;
  readonly since: string;
  /** Why the worker gave it up; null where it never got to say so. */
  readonly reason: string | null;
  /** The route whose event it is; null for a mail. */
  readonly route: string | null;
  /** The mail in the ledger, where one was recorded, and how it stands. */
  readonly mail: string | null;
  readonly state: Entry['state'] | null;
  readonly bytes: number;
}

export interface DeadLetterResult extends DeadLetter {
  readonly did: 'replayed' | 'ended before' | 'dropped' | 'left';
  /** Why it was left. */
  readonly why: string | null;
}

/** What the commands about dead letters work with. */
export interface DeadLetterContext {
  readonly pulled: Subscription;
  readonly queue: Queue;
  /** Names of the routes in the config: Pub/Sub itself tells only the subscription that gave a message up. */
  readonly routes: readonly string[];
  readonly begin: () => Ports;
}

/** Looks at what waits, `limit` at most, oldest first; it is held for us for a minute. */
export async function pullDeadLetters({ pulled }: Pick<DeadLetterContext, 'pulled'>, limit: number): Promise<PulledMessage[]> {
  const found = new Map<string, PulledMessage>();
  while (found.size < limit) {
    const some = await pulled.pull(limit - found.size);
    if (some.length === 0) break;
    for (const one of some) found.set(one.id, one);
  }
  return [...found.values()].sort((a, b) => (a.published < b.published ? -1 : 1));
}

export async function deadLetterOf(
  { id, published, message }: PulledMessage,
  { begin, routes }: Pick<DeadLetterContext, 'begin' | 'routes'>,
): Promise<DeadLetter> {
  const mail = recordedIn(message);
  const ports = mail === null ? null : begin();
  const found = ports && (await ports.ledger.read(String(mail)).finally(ports.close));
  const { reason = null } = message.attributes;
  const route = routeOf(message, routes);
  return { id, since: published, reason, route, mail, state: found?.entry.state ?? null, bytes: Buffer.byteLength(message.data) };
}

const recordedIn = (message: QueueMessage): string | null => emailIdOf(message) ?? message.attributes[MAIL_ATTRIBUTE] ?? null;

function routeOf({ attributes }: QueueMessage, routes: readonly string[]): string | null {
  const { [ROUTE_ATTRIBUTE]: said, [DIGEST_ATTRIBUTE]: digest, CloudPubSubDeadLetterSourceSubscription: source = '' } = attributes;
  if (digest !== undefined) return digest;
  return said ?? routes.find((name) => source === `route-${name}` || source.endsWith(`-route-${name}`)) ?? null;
}

/**
 * Puts a dead letter into the queue again and takes it away here, in this order: a crash in between leaves two messages of one mail.
 * The ledger decides whether it goes out; what it knows as failed is released first.
 */
export async function replay(held: PulledMessage, morgue: DeadLetterContext): Promise<DeadLetterResult> {
  const letter = await deadLetterOf(held, morgue);
  const left = (why: string): DeadLetterResult => ({ ...letter, did: 'left', why });
  try {
    if (letter.mail !== null) {
      const stand = await stands(letter.mail, morgue);
      if (stand === 'ended') {
        await morgue.pulled.acknowledge([held]);
        return { ...letter, did: 'ended before', why: null };
      }
      if (stand !== 'open') return left(stand);
    }
    await morgue.queue.publish(again(held, letter.route));
    await morgue.pulled.acknowledge([held]);
    return { ...letter, did: 'replayed', why: null };
  } catch (error) {
    return left(wordsOf(error));
  }
}

/** Whether the mail may go out again, released if it had failed; else why not. */
async function stands(mail: string, { begin }: DeadLetterContext): Promise<'open' | 'ended' | string> {
  const ports = begin();
  try {
    const found = await ports.ledger.read(mail);
    if (!found) return `the ledger has no mail ${mail}: drop it`;
    const { state, code, leaseUntil } = found.entry;
    if (state === 'sent' || state === 'canceled') return 'ended';
    if (leaseUntil > ports.now()) return `somebody works on it until ${new Date(leaseUntil).toISOString()}`;
    if (code === 'dropped') return `it was dropped; first: npx mailgrant ledger resend ${mail}`;
    if (code === 'session_gone') return `it may have been sent; first: npx mailgrant ledger resend ${mail}, or drop`;
    await (state === 'failed' ? release : unbury)(found, ports);
    return 'open';
  } finally {
    ports.close();
  }
}

/** The message as it was, known by what it was known by; one that Pub/Sub itself moved is known by its dead letter from now on. */
function again({ id, message }: PulledMessage, route: string | null): QueueMessage {
  const { reason: _, [MAIL_ATTRIBUTE]: __, ...rest } = message.attributes;
  const kept = Object.fromEntries(Object.entries(rest).filter(([name]) => !/^(CloudPubSubDeadLetter|googclient_)/.test(name)));
  const own = emailIdOf(message) !== null || kept['idempotencyKey'] !== undefined || kept[DIGEST_ATTRIBUTE] !== undefined;
  const attributes = {
    ...kept,
    ...(!own && { [KEY_ATTRIBUTE]: kept[KEY_ATTRIBUTE] ?? `dead:${id}` }),
    ...(route !== null && kept[DIGEST_ATTRIBUTE] === undefined && { [ROUTE_ATTRIBUTE]: route }),
  };
  return { data: message.data, attributes };
}

/** Takes a dead letter away for good; a mail that still waits for it is ended in the ledger. */
export async function dropDeadLetter(held: PulledMessage, morgue: DeadLetterContext): Promise<DeadLetterResult> {
  const letter = await deadLetterOf(held, morgue);
  const ports = morgue.begin();
  try {
    const found = letter.mail === null ? null : await ports.ledger.read(letter.mail);
    const { state } = found?.entry ?? {};
    if (found && (state === 'queued' || state === 'waiting' || state === 'parked')) await drop(found, ports);
    await morgue.pulled.acknowledge([held]);
    return { ...letter, did: 'dropped', why: null };
  } catch (error) {
    return { ...letter, did: 'left', why: wordsOf(error) };
  } finally {
    ports.close();
  }
}

const wordsOf = (error: unknown): string => {
  const failure = toFailure(error);
  return failure instanceof MailFailure ? `${failure.code}: ${failure.message}` : 'unexpected';
};

export function deadLetterText({ id, since, reason, route, mail, state, bytes, ...done }: DeadLetter & Partial<DeadLetterResult>): string {
  const what = route === null ? `mail ${mail ?? 'not in the ledger'}` : `event of route ${route}${mail ? `, mail ${mail}` : ''}`;
  const line = `${id}  ${since.slice(0, 19)}Z  ${(reason ?? 'no reason').padEnd(20)}  ${what}${state ? ` (${state})` : ''}  ${bytes} bytes`;
  return done.did === undefined ? line : `${done.did.padEnd(12)}  ${line}${done.why ? `\n              ${done.why}` : ''}`;
}
