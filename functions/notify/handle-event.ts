import { accept } from '../mail/accept.ts';
import { recordRejected } from '../mail/delivery/claim.ts';
import { isAccepted, type Outcome } from '../mail/delivery/outcome.ts';
import type { Ports } from '../mail/delivery/ports.ts';
import { checkLimits, countersOf, limitsFor } from '../mail/delivery/rate-limits.ts';
import { recordRefusal } from '../mail/delivery/send.ts';
import type { Submission } from '../mail/delivery/submission.ts';
import type { Caller, Config } from '../mail/model/config.ts';
import { type FailureCode, MailFailure, toFailure } from '../mail/model/failure.ts';
import type { Compiled, CompiledRoute } from './compiled.ts';
import type { NotifyEvent } from './conditions/event.ts';
import { type Addressed, digestAt, sendDigest } from './digest.ts';
import { evaluateRoute, mailOf } from './event-email.ts';

/** An event for a route, from any trigger. */
export interface IncomingEvent {
  readonly event: NotifyEvent;
  /** Why it cannot be read, if it cannot. */
  readonly failure?: MailFailure;
  /** The event's key: the same on each delivery. */
  readonly key: string;
  /** See Claim: true if a redelivery should try a failed email again. */
  readonly retryFailed: boolean;
  /** See Claim. */
  readonly keyMs?: number;
}

/**
 * The result of an event: an email's outcome, `ignored` if the route does not want the event, or `held` for the digest of its
 * window.
 */
export type EventResult = Outcome | 'ignored' | 'held';

/** The caller of a route's emails: the sender, and the allowed recipients. */
export const callerFor = ({ name, from, only }: CompiledRoute): Caller => ({ id: `route:${name}`, from: [from.address], to: only });

/** How long events of one `dedupe` value are one email. */
const DEDUPE_MS = 32 * 24 * 60 * 60_000;

// An error in a route stays until the route is deployed again: it is recorded, so that an operator sees it, and not retried for
// days.
const RECORDED: ReadonlySet<FailureCode> = new Set(['route_condition', 'route_template', 'event_unreadable']);

/**
 * Turns an event into an email and accepts the email. If the route's condition or template fails for the event, a failed email is
 * recorded; such an event is never treated as "no match". Throws MailFailure for failures that may pass, or that the set-up
 * causes.
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

/**
 * The request hash covers the event, not the rendered email: after a change of the template, a redelivery is still the same email.
 */
async function mailed(order: Submission, config: Config, ports: Ports): Promise<Outcome> {
  const asked = { ...order, requestHash: ports.digest(String(order.key)) };
  return accept(asked, config, ports).catch((error: unknown) => recordRefusal(asked, toFailure(error), ports));
}

const OVER_MS = 60 * 60_000;

/**
 * The email of an event, counted against the limits of its route, whatever its dedupe key is: the sender of events controls that
 * key. Events over the limits are held for a digest at the end of the hour.
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
    if (outcome.unrecorded || !isAccepted(outcome)) await refund(); // it counts at its next delivery
    return outcome;
  }
  const addressed = addressedIn(order.body as Omit<Addressed, 'from'>, route);
  const group = ports.digest(`${route.name}\nover the limits${recipientsOf(addressed, route)}`).slice(0, 40);
  const windows = await ports.windows();
  const assign = (id: string) => windows.assign(group, ports.digest(id).slice(0, 40), OVER_MS, ports.now(), keyMs);
  const opened = await assign(key);
  const joined = opened.first ? await assign(`${key}\nover`) : opened; // nothing is sent immediately: the first event counts, too
  const { subject } = order.body as { subject: string };
  const window = { group, opened: joined.opened, until: joined.until, ...(joined.closed > 0 && { round: joined.closed + 1 }) };
  const sample = { event, subject, addressed };
  const { taskQueue } = ports;
  if (taskQueue && (joined.ask || joined.closed > 0)) await digestAt(window, sample, route, { ...ports, taskQueue });
  if (!taskQueue && opened.before) {
    const digest = await sendDigest({ group, ...opened.before }, { ...sample, subject: '' }, route, compiled, config, ports);
    if (digest && (digest.unrecorded || !isAccepted(digest))) return digest;
  }
  return 'held';
}

/**
 * The first event of a window becomes an email immediately; each other event counts for the digest, which is scheduled when the
 * first one is held.
 */
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
    // Without a task queue the last window's digest is sent with the next event, which is redelivered until the digest is sent.
    if (joined.before && !ports.taskQueue) {
      const sample = { event, subject: '', addressed };
      const digest = await sendDigest({ ...window, ...joined.before }, sample, route, compiled, config, ports);
      // The event then has the result of the digest: it is redelivered, or it is a dead letter until an operator fixes the cause.
      if (digest && (digest.unrecorded || !isAccepted(digest))) return digest;
    }
    return outcome;
  }
  const { subject } = order.body as { subject: string };
  const sample = { event, subject, addressed };
  const { taskQueue } = ports;
  // The window was closed, and its digest counted, before this event, because a clock is behind. A digest of its own contains the
  // event.
  const late = joined.closed > 0 ? { ...window, round: joined.closed + 1 } : null;
  if (taskQueue && (joined.ask || late)) await digestAt(late ?? window, sample, route, { ...ports, taskQueue });
  if (!taskQueue && late) {
    const digest = await sendDigest(late, sample, route, compiled, config, ports);
    if (digest && (digest.unrecorded || !isAccepted(digest))) return digest;
  }
  return 'held';
}

const addressedIn = ({ to, cc, bcc, reply_to, headers }: Omit<Addressed, 'from'>, { from }: CompiledRoute): Addressed => ({
  ...{ from, to, cc, bcc, reply_to, headers },
});

/** The recipients are part of the window where the event determines them: else one recipient would learn of another's events. */
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
