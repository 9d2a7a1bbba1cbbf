import type { Entry, Ledger } from '../../functions/mail/delivery/ledger.ts';
import type { Ports, QueueMessage, Transport, UploadStatus } from '../../functions/mail/delivery/ports.ts';
import { hasTransition } from '../../functions/mail/delivery/transitions.ts';
import type { FailureCode } from '../../functions/mail/model/failure.ts';
import { gmailSessions } from './gmail-sessions.ts';
import type { Core, Scenario } from './scenario.ts';
import type { Actor, Call, Stage } from './stage.ts';
import { memoryLedger, world } from './world.ts';

const MINUTE = 60_000;
const DAY_MS = 24 * 60 * MINUTE;
/** What Gmail may say to a whole email although it took it. */
const THOUGH_TAKEN = ['rate_limited', 'quota_daily', 'mail_refused', 'scope_missing', 'token_refused', 'unexpected'] as const;
const TROUBLES = ['delivery_unknown', 'google_unavailable', 'rate_limited', 'quota_daily'] as const;

/** What the ledger calls the end of an email, in words of the model's own: the core's may be broken. */
const ENDED: readonly string[] = ['sent', 'failed', 'canceled'];

/** A message in the topic's one subscription. */
export interface Kept {
  readonly message: QueueMessage;
  deliveries: number;
  /** When it comes next. */
  at: number;
  /** How many of its deliveries are being worked on. */
  open: number;
  acknowledged: boolean;
}

interface Task {
  readonly message: QueueMessage;
  readonly at: number;
  over: boolean;
}

/** Everything that outlives an invocation: the ledger, Gmail, the topics, the tasks. What actors do to it goes over the stage. */
export function createPostOffice(stage: Stage, core: Core, { later, prompt, via, clocks }: Scenario) {
  const failureOf = (code: FailureCode): Error => new core.MailFailure(code, 'scripted');
  const ledger = memoryLedger(core.isOver);
  const gmail = gmailSessions();
  const topic: Kept[] = [];
  const dead: QueueMessage[] = [];
  const tasks = new Map<string, Task>();
  const wrong: string[] = [];
  /** Mails that had ended as failed, and that somebody asked for anew: at which line of the story, the last time. */
  const begunAnew = new Map<string, number>();
  const base = world();
  const creations = new Map<string, { readonly id: string; readonly at: number }>();
  let actors = 0;
  const soon = (code: FailureCode) => (): Error => failureOf(code);

  /** Every write is a step of the table. */
  const lawful = (before: Entry | undefined, entry: Entry): void => {
    if (before && before.state !== entry.state && !hasTransition(before.state, entry.state))
      wrong.push(`${entry.id}: step ${before.state} to ${entry.state}`);
    const ended = before?.state === 'failed' && before.code !== null && !before.code.startsWith('queue_');
    if (ended && entry.state !== 'failed' && entry.state !== 'waiting') begunAnew.set(entry.id, stage.story.length);
  };
  const publish = (message: QueueMessage): void =>
    void topic.push({ message, deliveries: 0, at: stage.clock, open: 0, acknowledged: false });

  /** Two emails under one key are at least a day apart, and the first one is over by then. */
  const created = ({ key, id, acceptedAt: at }: Entry): void => {
    const before = key === undefined ? undefined : creations.get(key);
    const entry = before && ledger.entries.get(before.id)?.entry;
    if (before && (at - before.at < DAY_MS - MINUTE || (entry && !ENDED.includes(entry.state))))
      wrong.push(`${id}: a second email under one key`);
    if (key !== undefined) creations.set(key, { id, at });
  };

  function portsOf(actor: Actor): Ports {
    // What must be sent at once is dropped at once: so much can be promised only where clocks agree.
    const skew = prompt ? 0 : (clocks[actors++ % clocks.length] ?? 0);
    const call = <T>(door: string, effect: () => T | Promise<T>, more: Partial<Call<T>> & Pick<Call<T>, 'refusals'>): Promise<T> =>
      stage.call<T>(actor, { door, lost: null, ...more, effect: async () => effect() });
    const ledgerCall = { refusals: [soon('ledger_unavailable')] };
    const writing = { ...ledgerCall, lost: soon('ledger_unavailable') };
    const queueing = { refusals: [soon('queue_unavailable'), soon('queue_refused')], lost: soon('queue_unavailable') };
    const creating: Ledger['create'] = async (entry, ...how) => {
      const made = await ledger.create(entry, ...how);
      if (made.created) created(entry);
      return made;
    };
    const gated: Ledger = {
      create: (entry, key, now, counters) =>
        call('ledger.create', () => creating(entry, key, now, counters), {
          ...writing,
          // As the adapter does: what is there under its own id is its own, unless somebody has worked on it since.
          again: async () => {
            const there = await ledger.read(entry.id);
            return there
              ? { created: JSON.stringify(there.entry) === JSON.stringify(entry), found: there }
              : creating(entry, key, now, counters);
          },
        }),
      read: (id) => call('ledger.read', () => ledger.read(id), ledgerCall),
      replace: (found, entry, counters) => {
        // As the adapter does: where the race is lost, but what is there is what was to be written, it takes it for its own.
        const effect = async () => {
          const before = await ledger.read(entry.id);
          const written = await ledger.replace(found, entry, counters);
          if (written) lawful(before?.entry, entry);
          return written ?? (before && JSON.stringify(before.entry) === JSON.stringify(entry) ? before : null);
        };
        return call(`ledger.replace ${found.entry.state} to ${entry.state}`, effect, { ...writing, again: effect });
      },
      count: (counters, by) => call('ledger.count', () => ledger.count(counters, by), writing),
      reserve: (key, id) => call('ledger.reserve', () => ledger.reserve(key, id), writing),
    };
    const refusals = [
      soon('rate_limited'),
      soon('delivery_unknown'),
      soon('google_unavailable'),
      soon('quota_daily'),
      soon('mail_refused'),
    ];
    const refusing = (how: number): Error => failureOf(THOUGH_TAKEN[how % THOUGH_TAKEN.length] ?? 'rate_limited');
    const unanswered: (() => Error)[] = [...TROUBLES.map(soon), soon('mail_refused'), soon('unexpected'), soon('token_refused')];
    const api: Transport = {
      resumable: true,
      refusalIsProof: false,
      openSession: (message) =>
        call('gmail.open', () => gmail.open(message), {
          refusals: [soon('rate_limited'), soon('google_unavailable'), soon('quota_daily'), soon('mail_refused')],
          lost: soon('google_unavailable'),
        }),
      upload(session, message, from) {
        const all = message.bytes.length;
        const effect = (): UploadStatus => {
          const progress = gmail.transfer(session, message, from, all);
          const id = message.messageId.slice(1, 37);
          if (prompt && progress.state === 'accepted' && ledger.entries.get(id)?.entry.code === 'dropped')
            wrong.push(`${id}: sent after it was dropped`);
          return progress;
        };
        const half = Math.ceil((from + all) / 2);
        /** Gmail has every byte, and makes the message when it likes. */
        const holding = (): UploadStatus => {
          const { status, complete } = gmail.hold(session, message, from, all);
          stage.later(`Gmail makes the message of ${session}`, complete);
          return status;
        };
        return call(`gmail.transfer ${session}`, effect, {
          urgent: prompt,
          refusals,
          lost: soon('delivery_unknown'),
          partly: async () => gmail.transfer(session, message, from, half),
          forget: () => gmail.forget(session),
          odd: [
            ['308 with every byte, made later', async () => holding()],
            [
              '308 without a Range, made later',
              async () => {
                const { state } = holding();
                return state === 'partial' ? { state, received: 0 } : gmail.ask(session);
              },
            ],
            [
              '308 while bytes travel',
              async () => {
                const status = gmail.transfer(session, message, from, half);
                stage.later(`the rest reaches ${session}`, () => void gmail.transfer(session, message, half, all));
                return status;
              },
            ],
            [
              'refused, though taken',
              async (how) => {
                effect();
                throw refusing(how);
              },
            ],
            [
              'refused, and made later',
              async (how) => {
                holding();
                throw refusing(how);
              },
            ],
          ],
        });
      },
      querySession: (session) =>
        call(`gmail.ask ${session}`, () => gmail.ask(session), { refusals: unanswered, forget: () => gmail.forget(session) }),
    };
    const smtp: Transport = {
      resumable: false,
      refusalIsProof: true,
      openSession: async ({ messageId }) => `smtp:${messageId.slice(1, 37)}`,
      upload(session, message) {
        const effect = (): UploadStatus => {
          const { gmailId, index } = gmail.submit(message);
          stage.later(`the index has ${gmailId}`, index);
          if (prompt && ledger.entries.get(session.slice(5))?.entry.code === 'dropped') wrong.push(`${session}: sent after it was dropped`);
          return { state: 'accepted', gmailId };
        };
        return call(`smtp.data ${session}`, effect, { urgent: prompt, refusals, lost: soon('delivery_unknown') });
      },
      querySession: (session) =>
        call(
          `search ${session}`,
          (): UploadStatus => {
            const gmailId = gmail.search(session.slice(5));
            return gmailId === null ? { state: 'partial', received: 0 } : { state: 'accepted', gmailId };
          },
          { refusals: unanswered },
        ),
    };
    return {
      ...base,
      ledger: gated,
      now: () => stage.clock + skew,
      transport: () => (via === 'smtp' ? smtp : api),
      token: () =>
        call('token', base.token as () => ReturnType<Ports['token']>, {
          refusals: (['google_unavailable', 'grant_revoked', 'identity_refused', 'grant_unreadable'] as const).map(soon),
        }),
      pause: (ms) =>
        call(
          'pause',
          () => {
            stage.clock += ms;
          },
          { refusals: [] },
        ),
      queue: { publish: (message) => call('queue.publish', () => publish(message), queueing) },
      deadLetters: { publish: (message) => call('deadLetters.publish', () => void dead.push(message), queueing) },
      taskQueue: {
        // A name is never used twice, not even when its task is over.
        schedule: (message, at, name) =>
          call(
            'taskQueue.schedule',
            () => {
              if (tasks.has(name)) return 'taken';
              tasks.set(name, { message, at, over: false });
              return 'created';
            },
            queueing,
          ),
        get: (name) => call('taskQueue.get', () => (tasks.get(name)?.over === false ? (tasks.get(name)?.message ?? null) : null), queueing),
        cancel: (name) =>
          call('taskQueue.cancel', () => void (tasks.has(name) && Object.assign(tasks.get(name) as Task, { over: true })), queueing),
      },
      ...(!later && { taskQueue: null }),
    } as Ports;
  }

  /** What the ledger calls the key of a caller. */
  const keyHash = (caller: string, key: string): string => base.digest(`${caller}\n${key}`);
  return { ledger, gmail, topic, dead, tasks, wrong, begunAnew, publish, portsOf, keyHash };
}

export type PostOffice = ReturnType<typeof createPostOffice>;
