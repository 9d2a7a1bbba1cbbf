/** A function that is killed between the change of an email and the handover of its event: the event is told all the same, under one id. */
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, startFunction } from '../../../functions/dev/function-process.ts';
import type { Google } from '../../../functions/fake-google/google.ts';
import { startGoogle } from '../../../functions/fake-google/google.ts';
import { connect } from '../../../functions/google/connect.ts';
import { EVENT_TYPES } from '../../../functions/mail/model/email-event.ts';
import type { Handler } from '../../../functions/runtime/serve.ts';
import { eventHandler } from '../../../functions/trigger/events/event-handler.ts';
import { authorised, CONFIG, MAIL, MAILBOX, PROJECT, post, SECRET, serveOn, settingsFor } from '../../support/stack/laptop.ts';

const QUEUE = `projects/${PROJECT}/locations/europe-west1/queues/events`;
const HANGS = { reset: 'before', delayMs: 120_000 } as const;

/** When the function is killed: it has reached this call of Google's, and gets no answer. */
const KILLS: readonly { readonly name: string; readonly reach: (google: Google) => Promise<void> }[] = [
  {
    name: 'before the event is handed over',
    reach: (google) => {
      google.faults.script({ on: 'task', ...HANGS });
      return google.reached('task');
    },
  },
  {
    name: 'after that, before the ledger knows',
    reach: async (google) => {
      await google.reached('task');
      google.faults.script({ on: 'ledger', ...HANGS });
      await google.reached('ledger');
    },
  },
];
for (const { name, reach } of KILLS)
  test(`killed ${name}`, async () => {
    const received: { id: string; type: string; email: string }[] = [];
    const app = createServer(async (req, res) => {
      const { type, data } = JSON.parse(Buffer.concat(await req.toArray()).toString('utf8')) as {
        type: string;
        data: { email_id: string };
      };
      received.push({ id: String(req.headers['webhook-id']), type, email: data.email_id });
      res.writeHead(204).end();
    });
    await new Promise<void>((done) => app.listen(0, '127.0.0.1', done));
    let serve: Handler = async () => {};
    const door = await serveOn((req, res) => serve(req, res));
    await using google = await startGoogle();
    google.storeSecret(PROJECT, SECRET, JSON.stringify(google.oauth.enrol(MAILBOX)));
    google.storeSecret(PROJECT, 'hook-events', `whsec_${Buffer.from('canary-0123456789abcdef').toString('base64')}`);
    const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/events`;
    const config = { ...CONFIG, events: [{ name: 'app', url, secret: 'hook-events', types: EVENT_TYPES, addresses: false }] };
    const file = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'config.json');
    writeFileSync(file, JSON.stringify(config));
    const env = {
      GOOGLE_CLOUD_PROJECT: PROJECT,
      MAILGRANT_CONFIG: file,
      MAILGRANT_GOOGLE_URL: google.url,
      MAILGRANT_DEADLINE_SECONDS: '60',
      MAILGRANT_EVENT_TASKS: QUEUE,
      MAILGRANT_WORKER_URL: door.url,
      MAILGRANT_TASKS_ACCOUNT: 'tasks@example.com',
      NODE_ENV: 'production',
    };
    const api = await startFunction({ target: 'api', source: 'functions/api.ts', port: await freePort(0), env, onLine: () => {} });
    const reached = reach(google);
    const asked = post(`${api.url}/emails`, MAIL, authorised).catch(() => null); // the line drops
    await reached;
    api.child.kill('SIGKILL');
    await Promise.all([asked, api.ended]);
    google.faults.clear();

    const later = (): number => Date.now() + 5 * 60_000; // what waits for less may be in somebody's hands
    const settings = settingsFor(google.url, { config, eventTasks: { queue: QUEUE, account: 'tasks@example.com', worker: door.url } });
    serve = eventHandler(
      connect(settings, () => {}, undefined, later),
      () => {},
    );
    for (let sweeps = 0; sweeps < 2; sweeps++) {
      assert.equal((await post(`${door.url}/events/sweep`, {})).status, 204);
      await google.tasks.flush();
    }
    door.close();
    app.close();
    app.closeAllConnections();
    assert.ok(received.length > 0);
    const [entry] = google.ledgerEntries();
    assert.deepEqual([...new Set(received.map(({ type, email }) => `${type} ${email}`))], [`email.sent ${entry?.['id']}`]);
    assert.equal(new Set(received.map(({ id }) => id)).size, 1);
    assert.equal(google.mails.count(), 1);
  });
