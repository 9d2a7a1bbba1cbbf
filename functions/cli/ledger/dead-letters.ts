import type { Entry } from '../../mail/delivery/ledger.ts';
import { clearDeadLetter, drop, release } from '../../mail/delivery/operator-decisions.ts';
import type { Ports, Queue, QueueMessage } from '../../mail/delivery/ports.ts';
import { fieldsIn, MailFailure, toFailure } from '../../mail/model/failure.ts';
import {
  DETAIL_ATTRIBUTE,
  DIGEST_ATTRIBUTE,
  EVENT_ATTRIBUTE,
  emailIdOf,
  KEY_ATTRIBUTE,
  MAIL_ATTRIBUTE,
  ROUTE_ATTRIBUTE,
} from '../../mail/queue/queue-message.ts';
import type { DeadLetterSubscription, PulledMessage } from './dead-letter-subscription.ts';

/** A dead letter, for people: never its content. */
export interface DeadLetter {
  /** Pub/Sub's id of the message. */
  readonly id: string;
  readonly since: string;
  /** Why it became a dead letter; null if another program published it. */
  readonly reason: string | null;
  /** The invalid fields of the email, if its publisher sent any. */
  readonly fields?: string;
  /** The route of the event; null for an email. */
  readonly route: string | null;
  /** The target in `events:` that did not accept it; absent for what is no event of an email. */
  readonly target?: string;
  /** The email's id and state in the ledger, if it is recorded. */
  readonly mail: string | null;
  readonly state: Entry['state'] | null;
  readonly bytes: number;
}

export interface DeadLetterResult extends DeadLetter {
  readonly did: 'replayed' | 'ended before' | 'dropped' | 'left';
  /** Why it was skipped. */
  readonly why: string | null;
}

/** The dependencies of the dead-letter commands. */
export interface DeadLetterContext {
  readonly pulled: DeadLetterSubscription;
  readonly queue: Queue;
  /** Route names of the configuration: for a message that Pub/Sub gave up, only the name of its subscription is known. */
  readonly routes: readonly string[];
  readonly begin: () => Ports;
  /** Pauses so that another command can pull; by default for a random part of a second. */
  readonly pause?: (quietRounds: number) => Promise<unknown>;
}

// Pub/Sub may return no message although some wait, or another command may hold them for a moment.
const QUIET_ROUNDS = 4;
const ROUNDS_MAX = 20;
/** The pause grows after each round without a new message, so that simultaneous commands on slow connections get out of step. */
const somewhat = (quietRounds: number): Promise<unknown> =>
  new Promise((done) => setTimeout(done, (25 + Math.random() * 150) * 2 ** quietRounds));

/** Lists at most `limit` dead letters, oldest first. All are returned to the subscription, so that several operators can list at once. */
export async function surveyDeadLetters(
  { pulled, pause = somewhat }: Pick<DeadLetterContext, 'pulled' | 'pause'>,
  limit: number,
): Promise<PulledMessage[]> {
  const found = new Map<string, PulledMessage>();
  for (let quiet = 0, round = 0; quiet < QUIET_ROUNDS && round < ROUNDS_MAX && found.size < limit; round++) {
    if (round > 0) await pause(quiet);
    const before = found.size;
    const held = await pullDeadLetters({ pulled }, limit);
    await pulled.nack(held);
    for (const one of held) found.set(one.id, one);
    quiet = found.size > before ? 0 : quiet + 1;
  }
  return [...found.values()].sort(byAge).slice(0, limit);
}

const byAge = (a: PulledMessage, b: PulledMessage): number => (a.published < b.published ? -1 : 1);

/** Pulls the dead letters with these ids and runs the action on each. One that cannot be pulled is skipped, with the reason. */
export async function takeDeadLetters(
  wanted: readonly DeadLetter[],
  act: (held: PulledMessage, context: DeadLetterContext) => Promise<DeadLetterResult>,
  context: DeadLetterContext,
  limit: number,
): Promise<DeadLetterResult[]> {
  const { pulled, pause = somewhat } = context;
  const done = new Map<string, DeadLetterResult>();
  const missing = (): DeadLetter[] => wanted.filter(({ id }) => !done.has(id));
  for (let quiet = 0, round = 0; quiet < QUIET_ROUNDS && round < ROUNDS_MAX && missing().length > 0; round++) {
    if (round > 0) await pause(quiet);
    const ids = new Set(missing().map(({ id }) => id));
    const held = await pullDeadLetters({ pulled }, limit);
    await pulled.nack(held.filter(({ id }) => !ids.has(id)));
    for (const one of held.filter(({ id }) => ids.has(id))) {
      const result = await act(one, context);
      done.set(one.id, result);
      if (result.did === 'left') await pulled.nack([one]).catch(() => {}); // Pub/Sub redelivers it by itself
    }
    quiet = missing().length < ids.size ? 0 : quiet + 1;
  }
  return wanted.map((one) => done.get(one.id) ?? { ...one, did: 'left', why: 'another command holds it or has deleted it: list again' });
}

/** Pulls at most `limit` dead letters, oldest first, with an ack deadline of one minute. */
export async function pullDeadLetters({ pulled }: Pick<DeadLetterContext, 'pulled'>, limit: number): Promise<PulledMessage[]> {
  const found = new Map<string, PulledMessage>();
  while (found.size < limit) {
    const some = await pulled.pull(limit - found.size);
    if (some.length === 0) break;
    for (const one of some) found.set(one.id, one);
  }
  return [...found.values()].sort(byAge);
}

export async function deadLetterOf(
  { id, published, message }: PulledMessage,
  { begin, routes }: Pick<DeadLetterContext, 'begin' | 'routes'>,
): Promise<DeadLetter> {
  const mail = recordedIn(message);
  const ports = mail === null ? null : begin();
  const found = ports && (await ports.ledger.read(String(mail)).finally(ports.close));
  const { [DETAIL_ATTRIBUTE]: detail = '', [EVENT_ATTRIBUTE]: target } = message.attributes;
  const fields = fieldsIn(new MailFailure('request_invalid', detail));
  const route = routeOf(message, routes);
  return {
    id,
    since: published,
    reason: reasonOf(message),
    ...(fields !== '' && { fields }),
    route,
    ...(target !== undefined && { target }),
    mail,
    state: found?.entry.state ?? null,
    bytes: Buffer.byteLength(message.data),
  };
}

/** A message that Pub/Sub's dead-letter policy moved has no reason of ours: the worker acknowledged none of its deliveries. */
const reasonOf = ({ attributes }: QueueMessage): string | null =>
  attributes['reason'] ??
  (Object.keys(attributes).some((name) => name.startsWith('CloudPubSubDeadLetter')) ? 'deliveries_exhausted' : null);

const recordedIn = (message: QueueMessage): string | null => emailIdOf(message) ?? message.attributes[MAIL_ATTRIBUTE] ?? null;

function routeOf({ attributes }: QueueMessage, routes: readonly string[]): string | null {
  const { [ROUTE_ATTRIBUTE]: said, [DIGEST_ATTRIBUTE]: digest, CloudPubSubDeadLetterSourceSubscription: source = '' } = attributes;
  if (digest !== undefined) return digest;
  return said ?? routes.find((name) => source === `route-${name}` || source.endsWith(`-route-${name}`)) ?? null;
}

/**
 * Publishes a dead letter to the queue, then deletes it, in this order: a crash in between leaves two messages of one email.
 * A failed email is released first. The ledger decides whether the email is sent.
 */
export async function replay(held: PulledMessage, context: DeadLetterContext): Promise<DeadLetterResult> {
  const deadLetter = await deadLetterOf(held, context);
  const left = (why: string): DeadLetterResult => ({ ...deadLetter, did: 'left', why });
  try {
    if (deadLetter.mail !== null) {
      const stand = await stands(deadLetter.mail, context);
      if (stand === 'ended') {
        await context.pulled.acknowledge([held]);
        return { ...deadLetter, did: 'ended before', why: null };
      }
      if (stand !== 'open') return left(stand);
    }
    await context.queue.publish(again(held, deadLetter.route));
    await context.pulled.acknowledge([held]);
    return { ...deadLetter, did: 'replayed', why: null };
  } catch (error) {
    return left(wordsOf(error));
  }
}

/** Checks whether the email may be sent again, and releases it if it failed; otherwise returns the reason why not. */
async function stands(mail: string, { begin }: DeadLetterContext): Promise<'open' | 'ended' | string> {
  const ports = begin();
  try {
    const found = await ports.ledger.read(mail);
    if (!found) return `the ledger has no email ${mail}: drop it`;
    const { state, code, leaseUntil } = found.entry;
    if (state === 'sent' || state === 'canceled') return 'ended';
    if (leaseUntil > ports.now()) return `an invocation holds it until ${new Date(leaseUntil).toISOString()}`;
    if (code === 'dropped') return `it was dropped; first: npx mailgrant ledger resend ${mail}`;
    if (code === 'session_gone') return `it may have been sent; first: npx mailgrant ledger resend ${mail}, or drop`;
    await (state === 'failed' ? release : clearDeadLetter)(found, ports);
    return 'open';
  } finally {
    ports.close();
  }
}

/** The original message with its original key; for a message that Pub/Sub moved, the id of the dead letter becomes the key. */
function again({ id, message }: PulledMessage, route: string | null): QueueMessage {
  const { reason: _, [MAIL_ATTRIBUTE]: __, [DETAIL_ATTRIBUTE]: ___, ...rest } = message.attributes;
  const kept = Object.fromEntries(Object.entries(rest).filter(([name]) => !/^(CloudPubSubDeadLetter|googclient_)/.test(name)));
  const own =
    emailIdOf(message) !== null ||
    kept['idempotencyKey'] !== undefined ||
    [DIGEST_ATTRIBUTE, EVENT_ATTRIBUTE].some((name) => kept[name] !== undefined);
  const attributes = {
    ...kept,
    ...(!own && { [KEY_ATTRIBUTE]: kept[KEY_ATTRIBUTE] ?? `dead:${id}` }),
    ...(route !== null && kept[DIGEST_ATTRIBUTE] === undefined && { [ROUTE_ATTRIBUTE]: route }),
  };
  return { data: message.data, attributes };
}

/** Deletes a dead letter for good; an email that still waits for it is ended in the ledger. */
export async function dropDeadLetter(held: PulledMessage, context: DeadLetterContext): Promise<DeadLetterResult> {
  const deadLetter = await deadLetterOf(held, context);
  const ports = context.begin();
  try {
    const found = deadLetter.mail === null ? null : await ports.ledger.read(deadLetter.mail);
    const { state } = found?.entry ?? {};
    if (found && (state === 'queued' || state === 'waiting' || state === 'parked')) await drop(found, ports);
    await context.pulled.acknowledge([held]);
    return { ...deadLetter, did: 'dropped', why: null };
  } catch (error) {
    return { ...deadLetter, did: 'left', why: wordsOf(error) };
  } finally {
    ports.close();
  }
}

const wordsOf = (error: unknown): string => {
  const failure = toFailure(error);
  return failure instanceof MailFailure ? `${failure.code}: ${failure.message}` : 'unexpected';
};

export function deadLetterText({
  id,
  since,
  reason,
  route,
  target,
  mail,
  state,
  bytes,
  ...done
}: DeadLetter & Partial<DeadLetterResult>): string {
  const what =
    target !== undefined
      ? `event for ${target}`
      : route === null
        ? `mail ${mail ?? 'not in the ledger'}`
        : `event of route ${route}${mail ? `, mail ${mail}` : ''}`;
  const line = `${id}  ${since.slice(0, 19)}Z  ${(reason ?? 'no reason').padEnd(20)}  ${what}${state ? ` (${state})` : ''}  ${bytes} bytes`;
  return done.did === undefined ? line : `${done.did.padEnd(12)}  ${line}${done.why ? `\n              ${done.why}` : ''}`;
}
