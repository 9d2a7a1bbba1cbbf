import { accept } from '../mail/accept.ts';
import { recordRejected } from '../mail/delivery/claim.ts';
import type { Outcome } from '../mail/delivery/outcome.ts';
import type { Ports, QueueMessage, TaskQueue } from '../mail/delivery/ports.ts';
import type { Caller, Config } from '../mail/model/config.ts';
import { MailFailure, toFailure } from '../mail/model/failure.ts';
import { DIGEST_ATTRIBUTE } from '../mail/queue/queue-message.ts';
import type { Compiled, CompiledRoute } from './compiled.ts';
import type { NotifyEvent } from './conditions/event.ts';
import { mailOf } from './event-email.ts';

/** A window of events that were alike. */
export interface Window {
  readonly group: string;
  readonly opened: number;
  readonly until: number;
}

/** One of the events that were held back, and the subject that its mail would have had. */
export interface Sample {
  readonly event: NotifyEvent;
  readonly subject: string;
}

// An event that joined its window in its last moment may still be on its way to the counter.
const GRACE_MS = 60_000;
const SAMPLE_MAX_BYTES = 40_000; // a task may hold 100 kB, and base64 grows twice

/** Has the digest of a window sent when it is over; asked for twice, it is kept once. */
export async function digestAt(window: Window, sample: Sample, { name }: CompiledRoute, taskQueue: TaskQueue): Promise<void> {
  const whole = JSON.stringify({ ...window, sample });
  const data = Buffer.byteLength(whole) > SAMPLE_MAX_BYTES ? JSON.stringify({ ...window, sample: { ...sample, event: NOTHING } }) : whole;
  await taskQueue.schedule(
    { data, attributes: { [DIGEST_ATTRIBUTE]: name } },
    window.until + GRACE_MS,
    `digest-${window.group}-${window.opened}`,
  );
}

const NOTHING: NotifyEvent = { data: {}, attributes: {} };

/** What a message about a digest holds. Throws MailFailure: request_invalid. */
export function readDigest({ data }: QueueMessage): { readonly window: Window; readonly sample: Sample } {
  const { group, opened, until, sample } = (fromJson(data) ?? {}) as Partial<Window> & { sample?: Sample };
  if (typeof group === 'string' && /^[0-9a-f]{40}$/.test(group) && Number.isSafeInteger(opened) && Number.isSafeInteger(until) && sample)
    return { window: { group, opened: opened ?? 0, until: until ?? 0 }, sample };
  throw new MailFailure('request_invalid', 'the message is no digest of ours');
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Sends what is to be said of a window; null where nothing was held back in it. Sent twice, it is one mail. */
export async function sendDigest(
  { group, opened, until }: Window,
  sample: Sample | null,
  route: CompiledRoute,
  compiled: Compiled,
  config: Config,
  ports: Ports,
): Promise<Outcome | null> {
  const held = await (await ports.windows()).countHeldBack(group, opened);
  if (held.count === 0) return null;
  const facts = { ...held, from: opened, until, sample: sample?.subject ?? '' };
  const caller: Caller = { id: `route:${route.name}`, from: [route.from.address], to: route.only };
  const key = `digest:${group}:${opened}`;
  const payload = ports.digest(key);
  try {
    const body = mailOf(compiled, route, sample?.event ?? NOTHING, facts);
    return await accept({ body, caller, key, retryFailed: false, payload }, config, ports);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code !== 'route_template') throw failure;
    return recordRejected({ payload, caller: caller.id, key }, failure, ports);
  }
}
