import { accept } from '../mail/accept.ts';
import { recordRejected } from '../mail/delivery/claim.ts';
import type { Outcome } from '../mail/delivery/outcome.ts';
import type { Ports, QueueMessage, TaskQueue } from '../mail/delivery/ports.ts';
import { recordRefusal } from '../mail/delivery/send.ts';
import type { Caller, Config } from '../mail/model/config.ts';
import { MailFailure, toFailure } from '../mail/model/failure.ts';
import { DIGEST_ATTRIBUTE } from '../mail/queue/queue-message.ts';
import type { Compiled, CompiledRoute } from './compiled.ts';
import type { NotifyEvent } from './conditions/event.ts';
import { mailOf } from './event-email.ts';

/** A window of events with one `dedupe` value. */
export interface Window {
  readonly group: string;
  readonly opened: number;
  readonly until: number;
  /**
   * 1 (where absent) for the digest at the window's end; a later round for events that arrived after it because a clock is behind.
   */
  readonly round?: number;
}

/** One of the events that were held back, and the subject that its email would have had. */
export interface Sample {
  readonly event: NotifyEvent;
  readonly subject: string;
  /** Sender and recipients of the event's email; absent in messages of versions that did not keep them. */
  readonly addressed?: Addressed;
}

/** Fields of an email in the form of `POST /emails`: the digest has the same fields as the emails that it sums up. */
export interface Addressed {
  readonly from: { readonly address: string; readonly name: string };
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly reply_to: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

// The count of an event that joined its window in its last moment may still be on its way.
const GRACE_MS = 60_000;
const SAMPLE_MAX_BYTES = 40_000; // a task may hold 100 kB, and base64 grows twice

/** Schedules the digest of a window for the window's end. Scheduling it twice keeps one digest. */
export async function digestAt(
  window: Window,
  sample: Sample,
  { name }: CompiledRoute,
  ports: Ports & { taskQueue: TaskQueue },
): Promise<void> {
  const { round = 1 } = window;
  const at = Math.max(window.until, round === 1 ? 0 : ports.now()) + GRACE_MS;
  const message = { data: textOf(window, sample), attributes: { [DIGEST_ATTRIBUTE]: name } };
  await ports.taskQueue.schedule(message, at, `digest-${window.group}-${window.opened}${round === 1 ? '' : `-${round}`}`);
}

/** Drops the event, then its headers, if the text is too large: the recipients stay, or the digest would reach nobody. */
function textOf(window: Window, sample: Sample): string {
  const smaller = { ...sample, event: NOTHING };
  const least = { ...smaller, ...(sample.addressed && { addressed: { ...sample.addressed, headers: {} } }) };
  const texts = [sample, smaller, least].map((one) => JSON.stringify({ ...window, sample: one }));
  return texts.find((text) => Buffer.byteLength(text) <= SAMPLE_MAX_BYTES) ?? String(texts.at(-1));
}

const NOTHING: NotifyEvent = { data: {}, attributes: {} };

/** The content of a message about a digest. Throws MailFailure: request_invalid. */
export function readDigest({ data }: QueueMessage): { readonly window: Window; readonly sample: Sample } {
  const { group, opened, until, round = 1, sample } = (fromJson(data) ?? {}) as Partial<Window> & { sample?: Sample };
  const numbers = [opened, until, round].every((one) => Number.isSafeInteger(one));
  if (typeof group === 'string' && /^[0-9a-f]{40}$/.test(group) && numbers && round > 0 && sample && isAddressed(sample.addressed))
    return { window: { group, opened: opened ?? 0, until: until ?? 0, round }, sample };
  throw new MailFailure('request_invalid', 'the message is no digest of ours');
}

const isAddressed = (value: unknown): value is Addressed | undefined => {
  if (value === undefined) return true;
  const { from, to, cc, bcc, reply_to, headers } = (value ?? {}) as Partial<Addressed>;
  return typeof from?.address === 'string' && [to, cc, bcc, reply_to].every(Array.isArray) && typeof headers === 'object';
};

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A removed route, as far as a digest needs it; null where the message does not say enough. */
export const routeThatWas = (name: string, { addressed }: Sample): CompiledRoute | null =>
  addressed === undefined
    ? null
    : {
        ...{ name, from: addressed.from, only: null, when: null, dedupe: null, everyMs: null, subject: null },
        ...{ to: [], cc: [], bcc: [], replyTo: [], headers: {}, template: '', digest: '' },
      };

/** Sends the digest of a window; null where nothing was held back. Sent twice, it is one email. */
export async function sendDigest(
  { group, opened, until, round = 1 }: Window,
  sample: Sample | null,
  route: CompiledRoute,
  compiled: Compiled,
  config: Config,
  ports: Ports,
): Promise<Outcome | null> {
  const held = await (await ports.windows()).close(group, opened, round);
  if (held.count === 0) return null;
  const facts = { ...held, from: opened, until, sample: sample?.subject ?? '' };
  const caller: Caller = { id: `route:${route.name}`, from: [route.from.address], to: route.only };
  const key = `digest:${group}:${opened}${round === 1 ? '' : `:${round}`}`;
  const asked = { body: null, caller, key, retryFailed: false, requestHash: ports.digest(key) };
  try {
    const body = mailOf(compiled, addressedAs(route, sample?.addressed), sample?.event ?? NOTHING, facts);
    return await accept({ ...asked, body }, config, ports);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'route_template') return recordRejected({ ...asked, caller: caller.id }, failure, ports);
    return recordRefusal(asked, failure, ports);
  }
}

/** The route with the recipients and headers of the events: constant text, nothing to render. */
const addressedAs = (route: CompiledRoute, addressed: Addressed | undefined): CompiledRoute =>
  addressed === undefined
    ? route
    : { ...route, to: addressed.to, cc: addressed.cc, bcc: addressed.bcc, replyTo: addressed.reply_to, headers: addressed.headers };
