import type { DatabaseSync } from 'node:sqlite';
import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import { idToken } from '../oauth/identity.ts';
import type { OAuth } from '../oauth/oauth.ts';
import { createDeliveryLoop } from './delivery-loop.ts';

/** The fake of Cloud Tasks. */
export interface Tasks extends AsyncDisposable {
  answer(request: FakeRequest): FakeReply;
  /** Tasks that have not run yet: the last part of their names, and when they will, in milliseconds since the epoch. */
  pending(): { readonly name: string; readonly at: number }[];
  /** Runs all that is due now. */
  flush(): Promise<void>;
}

interface Task {
  readonly name: string;
  readonly scheduleTime?: string;
  readonly httpRequest?: {
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly oidcToken?: { readonly serviceAccountEmail: string; readonly audience?: string };
    readonly oauthToken?: { readonly serviceAccountEmail: string; readonly scope?: string };
  };
}

const PATH = /^\/v2\/(projects\/[^/]+\/locations\/[^/]+\/queues\/[^/]+)\/tasks(?:\/([\w-]+))?$/;
const AHEAD_MAX_MS = 30 * 24 * 60 * 60_000; // cloud.google.com/tasks/docs/quotas
const TASK_MAX_BYTES = 1_000_000;

/**
 * The fake of Cloud Tasks: named tasks that make a call at their time, with the token of a service account, again until
 * it is answered by 2xx. A name is used once: also after its task ran, or was deleted. `runAt` says when a task runs in place of the
 * time that it is scheduled for.
 */
export function createTasks(
  db: DatabaseSync,
  oauth: OAuth,
  now: () => number,
  auto: boolean,
  runAt: (scheduled: number) => number = (scheduled) => scheduled,
): Tasks {
  db.exec(
    `CREATE TABLE IF NOT EXISTS tasks(name TEXT PRIMARY KEY, task TEXT NOT NULL, run_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, over INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX IF NOT EXISTS tasks_due ON tasks(run_at) WHERE over = 0`,
  );
  type Row = { name: string; task: string; run_at: number; tries: number };
  const running = new Set<string>();
  const run = async ({ name, task, tries }: Row): Promise<void> => {
    running.add(name);
    db.prepare('UPDATE tasks SET tries = ?, run_at = ? WHERE name = ?').run(tries + 1, now() + Math.min(60_000, 1_000 * 2 ** tries), name);
    const { httpRequest } = JSON.parse(task) as Task;
    const { oauthToken, oidcToken } = httpRequest ?? {};
    const token = oidcToken
      ? idToken(oidcToken.audience ?? httpRequest?.url ?? '', oidcToken.serviceAccountEmail, true, now())
      : String(oauth.issue(oauthToken?.serviceAccountEmail ?? '', [oauthToken?.scope ?? '']).access_token);
    const done = await fetch(httpRequest?.url ?? '', {
      method: 'POST',
      headers: { ...httpRequest?.headers, authorization: `Bearer ${token}` },
      body: Buffer.from(httpRequest?.body ?? '', 'base64'),
      signal: pump.signal,
    }).then(
      async (reply) => {
        await reply.arrayBuffer();
        return reply.ok;
      },
      () => false,
    );
    running.delete(name);
    if (done) db.prepare('UPDATE tasks SET over = 1 WHERE name = ?').run(name);
  };
  const waiting = (limit: number): Row[] =>
    (db.prepare('SELECT * FROM tasks WHERE over = 0 ORDER BY run_at LIMIT ?').all(limit + running.size) as Row[]).filter(
      ({ name }) => !running.has(name),
    );
  const pump = createDeliveryLoop(
    (limit) =>
      waiting(limit)
        .slice(0, limit)
        .map((row) => ({ at: row.run_at, run: () => run(row) })),
    now,
    auto,
  );
  pump.poke();

  const create = (queue: string, request: FakeRequest): FakeReply => {
    const { task } = (jsonOf(request) ?? {}) as { task?: Task };
    const at = Date.parse(task?.scheduleTime ?? '') || now();
    const wrong = task && problemOf(task, queue, at, request.body.length);
    if (!task || wrong) return cloudError(400, 'INVALID_ARGUMENT', wrong || 'Invalid value at task');
    if (db.prepare('SELECT 1 FROM tasks WHERE name = ?').get(task.name))
      return cloudError(409, 'ALREADY_EXISTS', 'Requested entity already exists');
    db.prepare('INSERT INTO tasks(name, task, run_at) VALUES (?, ?, ?)').run(task.name, JSON.stringify(task), runAt(at));
    pump.poke();
    return { status: 200, body: { ...task, httpRequest: undefined } };
  };
  const problemOf = ({ name, httpRequest }: Task, queue: string, at: number, bytes: number): string => {
    if (!name?.startsWith(`${queue}/tasks/`))
      return 'Task name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/queues/<QUEUE_ID>/tasks/<TASK_ID>"';
    if (at > now() + AHEAD_MAX_MS) return 'The Task.scheduleTime, must be no more than 720h in the future.';
    if (bytes > TASK_MAX_BYTES) return 'Task size too large';
    return /^http:\/\/127\.0\.0\.1:/.test(httpRequest?.url ?? '') ? '' : 'this fake calls only the loopback interface';
  };

  return {
    pending: () => waiting(10_000).map(({ name, run_at }) => ({ name: name.split('/').at(-1) ?? '', at: run_at })),
    flush: pump.flush,
    answer(request) {
      const [, queue = '', id] = PATH.exec(request.path) ?? [];
      if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
      if (!id) return request.method === 'POST' ? create(queue, request) : cloudError(404, 'NOT_FOUND', 'Method not found.');
      const name = `${queue}/tasks/${id}`;
      const row = db.prepare('SELECT * FROM tasks WHERE name = ? AND over = 0').get(name) as Row | undefined;
      if (!row) return cloudError(404, 'NOT_FOUND', 'Requested entity was not found.');
      if (request.method === 'DELETE') {
        db.prepare('UPDATE tasks SET over = 1 WHERE name = ?').run(name);
        return { status: 200, body: {} };
      }
      const task = JSON.parse(row.task) as Task;
      return {
        status: 200,
        body: request.query.get('responseView') === 'FULL' ? task : { ...task, httpRequest: { ...task.httpRequest, body: undefined } },
      };
    },
    [Symbol.asyncDispose]: () => pump[Symbol.asyncDispose](),
  };
}
