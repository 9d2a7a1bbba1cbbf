import { accept } from '../mail/accept.ts';
import { recordRejected } from '../mail/delivery/claim.ts';
import { isTaken, type Outcome } from '../mail/delivery/outcome.ts';
import type { Ports } from '../mail/delivery/ports.ts';
import { checkLimits, countersOf, limitsFor } from '../mail/delivery/rate-limits.ts';
import { refuse } from '../mail/delivery/send.ts';
import type { Submission } from '../mail/delivery/submission.ts';
import type { Caller, Config } from '../mail/model/config.ts';
import { type FailureCode, MailFailure, toFailure } from '../mail/model/failure.ts';
import type { Compiled, CompiledRoute } from './compiled.ts';
import type { NotifyEvent } from './conditions/event.ts';
import { type Addressed, digestAt, sendDigest } from './digest.ts';
import { evaluateRoute, mailOf } from './event-email.ts';

/** An event that came to a route, by whichever door. */
export interface IncomingEvent {
  readonly event: NotifyEvent;
  /** Why it cannot be read, where it cannot. */
  readonly failure?: MailFailure;
  /** What it is known by, on each delivery of it. */
  readonly key: string;
  /** See Claim: true where whoever delivers it again wants it tried anew. */
  readonly retryFailed: boolean;
  /** See Claim. */
  readonly keyMs?: number;
}

/** How an event ended: as an email, `ignored` since the route does not want it, or `held` for the digest of its window. */
export type EventResult = Outcome | 'ignored' | 'held';

/** Who a route's emails are sent in the name of, and to whom. */
export const callerFor = ({ name, from, only }: CompiledRoute): Caller => ({ id: `route:${name}`, from: [from.address], to: only });

/** How long events of one value are one mail. */
const DEDUPE_MS = 32 * 24 * 60 * 60_000;

// What is wrong with a route stays wrong until it is deployed anew: it is recorded, so that it is seen, and not tried for days.
const RECORDED: ReadonlySet<FailureCode> = new Set(['route_condition', 'route_template', 'event_unreadable']);

/**
 * Turns an event into an email, and has it taken. What the route cannot decide or render is recorded as a failed email of its
 * own, never taken for "no match". Throws MailFailure for what passes by itself, or is the set-up's fault.
 */
export async function handleEvent(
  happened: IncomingEvent,
  route: CompiledRoute,
  compiled: Compiled,
  config: Config,
  ports: Ports,
): Promise<EventResult> {
  const { key, retryFailed, keyMs } = happened;
  const asked: Submission = { body: null, caller: callerFor(route), key, retryFailed, ...(keyMs && { keyMs }) };
  try {
    if (happened.failure) throw happened.failure;
    const wanted = await evaluateRoute(route, happened.event);
    if (!wanted) return 'ignored';
    const order = { ...asked, body: mailOf(compiled, route, happened.event) };
    if (route.everyMs !== null)
      return await inWindow(order, wanted.dedupe, happened, { ...route, everyMs: route.everyMs }, compiled, config, ports);
    if (wanted.dedupe === null) return await limited(order, happened, route, compiled, config, ports);
    // A later event with this value retries a failed email: the cause may be fixed.
    const known = { ...order, key: `dedupe:${wanted.dedupe}`, keyMs: DEDUPE_MS, retryFailed: true };
    return await limited(known, happened, route, compiled, config, ports);
  } catch (error) {
    const failure = toFailure(error);
    if (!RECORDED.has(failure.code)) throw failure;
    const { caller } = asked;
    return recordRejected({ requestHash: ports.digest(key), caller: caller.id, key, ...(keyMs && { keyMs }) }, failure, ports);
  }
}

/** The event is what the hash is made of: after a change of its template, a delivery that comes again is still the same mail. */
async function mailed(order: Submission, config: Config, ports: Ports): Promise<Outcome> {
  const asked = { ...order, requestHash: ports.digest(String(order.key)) };
  return accept(asked, config, ports).catch((error: unknown) => refuse(asked, toFailure(error), ports));
}

const OVER_MS = 60 * 60_000;

/**
 * The email of an event, counted against the limits of its route, whatever its dedupe key is: who sends events chooses those.
 * What is over the limits is held for a digest at the end of the hour.
 */
async function limited(
  order: Submission,
  { event, key, keyMs }: Pick<IncomingEvent, 'event' | 'key' | 'keyMs'>,
  route: CompiledRoute,
  compiled: Compiled,
  config: Config,
  ports: Ports,
): Promise<EventResult> {
  const rules = route.limits ? limitsFor({ ...order.caller, limits: route.limits }, null, ports) : [];
  if (rules.length === 0) return mailed(order, config, ports);
  const { failure, refund } = await checkLimits(rules, await ports.ledger.count(countersOf(rules), 1), ports);
  if (!failure) {
    const outcome = await mailed(order, config, ports);
    if (outcome.unrecorded || !isTaken(outcome)) await refund(); // it counts when it comes again
    return outcome;
  }
  const addressed = addressedIn(order.body as Omit<Addressed, 'from'>, route);
  const group = ports.digest(`${route.name}\nover the limits${recipientsOf(addressed, route)}`).slice(0, 40);
  const windows = await ports.windows();
  const assign = (id: string) => windows.assign(group, ports.digest(id).slice(0, 40), OVER_MS, ports.now(), keyMs);
  const opened = await assign(key);
  const joined = opened.first ? await assign(`${key}\nover`) : opened; // nothing goes out at once: the first one counts, too
  const { subject } = order.body as { subject: string };
  const window = { group, opened: joined.opened, until: joined.until, ...(joined.closed > 0 && { round: joined.closed + 1 }) };
  const sample = { event, subject, addressed };
  const { taskQueue } = ports;
  if (taskQueue && (joined.ask || joined.closed > 0)) await digestAt(window, sample, route, { ...ports, taskQueue });
  if (!taskQueue && opened.before) {
    const digest = await sendDigest({ group, ...opened.before }, { ...sample, subject: '' }, route, compiled, config, ports);
    if (digest && (digest.unrecorded || !isTaken(digest))) return digest;
  }
  return 'held';
}

/** The first event of a window is an email at once; each other one counts for the digest, which is asked for when the first is held. */
async function inWindow(
  order: Submission,
  dedupe: string | null,
  { event, key, keyMs }: IncomingEvent,
  route: CompiledRoute & { readonly everyMs: number },
  compiled: Compiled,
  config: Config,
  ports: Ports,
): Promise<EventResult> {
  const addressed = addressedIn(order.body as Omit<Addressed, 'from'>, route);
  const group = ports.digest(`${route.name}\n${dedupe ?? ''}${recipientsOf(addressed, route)}`).slice(0, 40);
  const windows = await ports.windows();
  const joined = await windows.assign(group, ports.digest(key).slice(0, 40), route.everyMs, ports.now(), keyMs);
  const window = { group, opened: joined.opened, until: joined.until };
  if (joined.first) {
    const outcome = await limited(order, { event, key, ...(keyMs && { keyMs }) }, route, compiled, config, ports);
    // Without a queue for later times the last window's digest goes out with the next event, which comes again until it is out.
    if (joined.before && !ports.taskQueue) {
      const sample = { event, subject: '', addressed };
      const digest = await sendDigest({ ...window, ...joined.before }, sample, route, compiled, config, ports);
      // What becomes of the event is then what becomes of the digest: it is redelivered, or it is a dead letter until an operator fixes the cause.
      if (digest && (digest.unrecorded || !isTaken(digest))) return digest;
    }
    return outcome;
  }
  const { subject } = order.body as { subject: string };
  const sample = { event, subject, addressed };
  const { taskQueue } = ports;
  // The window was closed, and its digest counted, before this event: a clock here is behind. It is told in a digest of its own.
  const late = joined.closed > 0 ? { ...window, round: joined.closed + 1 } : null;
  if (taskQueue && (joined.ask || late)) await digestAt(late ?? window, sample, route, { ...ports, taskQueue });
  if (!taskQueue && late) {
    const digest = await sendDigest(late, sample, route, compiled, config, ports);
    if (digest && (digest.unrecorded || !isTaken(digest))) return digest;
  }
  return 'held';
}

const addressedIn = ({ to, cc, bcc, reply_to, headers }: Omit<Addressed, 'from'>, { from }: CompiledRoute): Addressed => ({
  ...{ from, to, cc, bcc, reply_to, headers },
});

/** Who gets the email makes events alike, where the event says who: else one owner would hear of the events of another. */
function recipientsOf({ to, cc, bcc }: Addressed, route: CompiledRoute): string {
  if ([route.to, route.cc, route.bcc].flat().every((spec) => typeof spec === 'string')) return '';
  return `\n${JSON.stringify([to, cc, bcc].map((list) => list.map((one) => one.toLowerCase()).sort()))}`;
}

/** The route of that name. Throws MailFailure: path_unknown. */
export function routeNamed(name: string, { routes }: Compiled): CompiledRoute {
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
  if (!route) throw new MailFailure('path_unknown', `there is no route "${name.slice(0, 40)}" in the config that was deployed`);
  return route;
}
