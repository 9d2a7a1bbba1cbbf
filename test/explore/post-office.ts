import type { Entry, Ledger } from '../../functions/mail/delivery/ledger.ts';
import type { Ports, QueueMessage, Transport, UploadStatus } from '../../functions/mail/delivery/ports.ts';
import { leads } from '../../functions/mail/delivery/transitions.ts';
import type { FailureCode } from '../../functions/mail/model/failure.ts';
import { gmailSessions } from './gmail-sessions.ts';
import type { Actor, Call, Stage } from './stage.ts';
import { memoryLedger, world } from './world.ts';

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
export function createPostOffice(stage: Stage, failureOf: (code: FailureCode) => Error, change: Partial<Ports>, prompt: boolean) {
  const ledger = memoryLedger();
  const gmail = gmailSessions();
  const topic: Kept[] = [];
  const dead: QueueMessage[] = [];
  const tasks = new Map<string, Task>();
  const wrong: string[] = [];
  /** Mails that had ended as failed, and that somebody asked for anew: at which line of the story, the last time. */
  const begunAnew = new Map<string, number>();
  const base = world();
  const soon = (code: FailureCode) => (): Error => failureOf(code);

  /** Every write is a step of the table. */
  const lawful = (before: Entry | undefined, entry: Entry): void => {
    if (before && before.state !== entry.state && !leads(before.state, entry.state))
      wrong.push(`${entry.id}: step ${before.state} to ${entry.state}`);
    const ended = before?.state === 'failed' && before.code !== null && !before.code.startsWith('queue_');
    if (ended && entry.state !== 'failed' && entry.state !== 'waiting') begunAnew.set(entry.id, stage.story.length);
  };
  const publish = (message: QueueMessage): void =>
    void topic.push({ message, deliveries: 0, at: stage.clock, open: 0, acknowledged: false });

  function portsOf(actor: Actor): Ports {
    const call = <T>(door: string, effect: () => T | Promise<T>, more: Partial<Call<T>> & Pick<Call<T>, 'refusals'>): Promise<T> =>
      stage.call<T>(actor, { door, lost: null, ...more, effect: async () => effect() });
    const ledgerCall = { refusals: [soon('ledger_unavailable')] };
    const writing = { ...ledgerCall, lost: soon('ledger_unavailable') };
    const queueing = { refusals: [soon('queue_unavailable'), soon('queue_refused')], lost: soon('queue_unavailable') };
    const gated: Ledger = {
      create: (entry, key, now, counters) =>
        call('ledger.create', () => ledger.create(entry, key, now, counters), {
          ...writing,
          // As the adapter does: what is there under its own id is its own, unless somebody has worked on it since.
          again: async () => {
            const there = await ledger.read(entry.id);
            return there
              ? { created: JSON.stringify(there.entry) === JSON.stringify(entry), found: there }
              : ledger.create(entry, key, now, counters);
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
    const transport: Transport = {
      resumable: true,
      refusalIsProof: false,
      openSession: (letter) =>
        call('gmail.open', () => gmail.open(letter), {
          refusals: [soon('rate_limited'), soon('google_unavailable'), soon('quota_daily'), soon('mail_refused')],
          lost: soon('google_unavailable'),
        }),
      upload(handle, letter, from) {
        const all = letter.bytes.length;
        const effect = (): UploadStatus => {
          const progress = gmail.transfer(handle, letter, from, all);
          const id = letter.messageId.slice(1, 37);
          if (prompt && progress.state === 'accepted' && ledger.entries.get(id)?.entry.code === 'dropped')
            wrong.push(`${id}: sent after it was dropped`);
          return progress;
        };
        return call(`gmail.transfer ${handle}`, effect, {
          urgent: prompt,
          refusals: [soon('rate_limited'), soon('delivery_unknown'), soon('google_unavailable'), soon('quota_daily')],
          lost: soon('delivery_unknown'),
          partly: async () => gmail.transfer(handle, letter, from, Math.ceil((from + all) / 2)),
          forget: () => gmail.forget(handle),
        });
      },
      querySession: (handle) =>
        call(`gmail.ask ${handle}`, () => gmail.ask(handle), {
          refusals: [soon('delivery_unknown'), soon('google_unavailable'), soon('rate_limited')],
          forget: () => gmail.forget(handle),
        }),
    };
    return {
      ...base,
      ledger: gated,
      now: () => stage.clock,
      transport: () => transport,
      token: () =>
        call('token', base.token as () => ReturnType<Ports['token']>, { refusals: [soon('google_unavailable'), soon('grant_revoked')] }),
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
          call('taskQueue.publishAt', () => void (tasks.has(name) || tasks.set(name, { message, at, over: false })), queueing),
        get: (name) =>
          call('taskQueue.peek', () => (tasks.get(name)?.over === false ? (tasks.get(name)?.message ?? null) : null), queueing),
        cancel: (name) =>
          call('taskQueue.withdraw', () => void (tasks.has(name) && Object.assign(tasks.get(name) as Task, { over: true })), queueing),
      },
      ...change,
    } as Ports;
  }

  return { ledger, gmail, topic, dead, tasks, wrong, begunAnew, publish, portsOf };
}

export type PostOffice = ReturnType<typeof createPostOffice>;
