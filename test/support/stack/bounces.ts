import type { Bouncing } from '../../../functions/fake-google/faults/bouncing.ts';
import { createBounceFinder } from '../../../functions/google/bounces/bounce-finder.ts';
import { connect } from '../../../functions/google/connect.ts';
import type { Config, Mailbox } from '../../../functions/mail/model/config.ts';
import type { GoogleUrls } from '../../../functions/runtime/google-urls.ts';
import { createLog } from '../../../functions/runtime/log.ts';
import type { Handler } from '../../../functions/runtime/serve.ts';
import type { Settings } from '../../../functions/runtime/settings.ts';
import { byPath } from '../../../functions/trigger/common/paths.ts';
import { eventHandler } from '../../../functions/trigger/events/event-handler.ts';
import { inboxHandler } from '../../../functions/trigger/inbox/inbox-handler.ts';
import { pubsubWorker } from '../../../functions/trigger/pubsub/push-handler.ts';
import { CONFIG, DEAD_TOPIC, KEY, type Laptop, MAIL, MAILBOX, PROJECT, post, QUEUE, serveOn, startLaptop, TOPIC } from './laptop.ts';

export const INBOX_TOPIC = `projects/${PROJECT}/topics/mailgrant-inbox`;

export interface BouncingLaptop extends AsyncDisposable {
  readonly laptop: Laptop;
  readonly worker: string;
  /** Lines of the worker's log. */
  readonly lines: Record<string, unknown>[];
  readonly clock: { now: number };
  /** Sends an email and answers the status and its id. */
  send(change?: object): Promise<{ readonly status: number; readonly id: string; readonly body: Record<string, unknown> }>;
  /** Has a report come back about the email that Gmail took last, and delivers the notification. */
  bounce(how?: Bouncing): Promise<void>;
  /** Delivers what waits in Pub/Sub and Cloud Tasks. */
  run(): Promise<void>;
  record(id: string): Promise<Record<string, unknown>>;
  /** The last line of that event. */
  last(event: string): Record<string, unknown>;
}

/** A laptop whose mailbox is watched for bounces, with a worker that is told of them. */
export async function startBouncing(
  change: Partial<Config> = {},
  box: Partial<Mailbox> = {},
  settings: Partial<Settings> = {},
  /** Google's own emulators; their pushes carry no identity. */
  urls: Partial<GoogleUrls> = {},
): Promise<BouncingLaptop> {
  const clock = { now: Date.UTC(2026, 10, 28, 12) };
  let serve: Handler = async () => {};
  const door = await serveOn((req, res) => serve(req, res));
  const mailbox = { ...(CONFIG.mailboxes[0] as Mailbox), bounces: true as const, ...box };
  const eventTasks = { queue: `projects/${PROJECT}/locations/europe-west1/queues/events`, account: 'tasks@example.com', worker: door.url };
  const laptop = await startLaptop({
    config: { ...CONFIG, ...change, mailboxes: [mailbox] },
    settings: { ...QUEUE, eventTasks, inboxTopic: INBOX_TOPIC, ...settings },
    now: () => clock.now,
    urls,
    ...(mailbox.via === 'smtp' && { google: { smtp: {} } }),
  });
  const { google } = laptop;
  for (const name of [TOPIC, DEAD_TOPIC, INBOX_TOPIC]) google.pubsub.createTopic(name);
  const lines: Record<string, unknown>[] = [];
  const log = createLog((line) => lines.push(JSON.parse(line)));
  const edge = connect({ ...laptop.settings, pushAudience: urls.pubsub === undefined ? door.url : null }, log, undefined, () => clock.now);
  const inbox = inboxHandler({ ...edge, bounces: () => createBounceFinder(edge.bounceContext()) }, log);
  const events = eventHandler(edge, log);
  serve = byPath(
    { '/inbox': inbox, '/inbox/': inbox, '/events': events, '/events/': events },
    pubsubWorker({ ...edge, pushAudience: null }, log),
  );
  const subscription = { name: `projects/${PROJECT}/subscriptions/inbox`, topic: INBOX_TOPIC, endpoint: `${door.url}/inbox` };
  google.pubsub.subscribe({ ...subscription, audience: door.url });
  await (await fetch(laptop.watch, { method: 'POST' })).arrayBuffer();
  const run = async (): Promise<void> => {
    await google.pubsub.flush();
    await google.tasks.flush();
  };
  await run(); // Gmail reports at once where the mailbox is
  return {
    laptop,
    worker: door.url,
    lines,
    clock,
    run,
    async send(change = {}) {
      const { status, body } = await post(`${laptop.api}/emails`, { ...MAIL, ...change }, { authorization: `Bearer ${KEY}` });
      return { status, id: String(body?.['id'] ?? ''), body: body ?? {} };
    },
    async bounce(how = {}) {
      google.received.bounce(google.mails.ids()[0] ?? '', how);
      await run();
    },
    async record(id) {
      const reply = await fetch(`${laptop.api}/emails/${id}`, { headers: { authorization: `Bearer ${KEY}` } });
      return (await reply.json()) as Record<string, unknown>;
    },
    last: (event) => lines.findLast((line) => line['event'] === event) ?? {},
    async [Symbol.asyncDispose]() {
      door.close();
      await laptop[Symbol.asyncDispose]();
    },
  };
}

/** Has the worker look through all mailboxes, as the schedule does. */
export const sweep = ({ worker }: BouncingLaptop) => {
  const claims = Buffer.from(JSON.stringify({ aud: worker })).toString('base64url');
  return post(`${worker}/inbox/sweep`, {}, { authorization: `Bearer e30.${claims}.x` });
};

export { MAILBOX };
