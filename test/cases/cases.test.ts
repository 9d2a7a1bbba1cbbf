/** Situations from public bug reports, played at every door they come to, each with the right value. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { createLog } from '../../functions/runtime/log.ts';
import { documentEvents } from '../../functions/trigger/documents/document-handler.ts';
import { appAt, documentHeaders } from '../support/stack/documents.ts';
import { type Hooks, routeOf, startHooks } from '../support/stack/hooks.ts';
import {
  ALIAS,
  authorised,
  CONFIG,
  DEAD_TOPIC,
  envelope,
  KEY,
  type Laptop,
  MAILBOX,
  post,
  serveOn,
  startQueued,
} from '../support/stack/laptop.ts';
import { compileTexts, ROUTE, routed } from '../support/stack/routes.ts';
import { shipped } from '../support/stack/samples.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';
import { hookOf } from '../verify/schemes.ts';
import { CONTENT } from './content.ts';
import { EVENTS } from './events.ts';
import type { Case, DoorName, Played } from './rows.ts';

const CASES: readonly Case[] = [...CONTENT, ...EVENTS];

/** The situations as they were reported to the project; `MAILGRANT_CASES` names a folder of them, one file each. */
const REPORTED =
  'AMOLD ATTNAME CTHEAD DATAURI DJEMPTY DOC50 DOTLOCAL FEB30 FROMAT GRNULL HREF ICAL IRT LT LUENC MSGHD NEGDUR PUBNOWHY TPLATT UNDISC UNWRAP'.split(
    ' ',
  );
const played = new Set(CASES.flatMap(({ reported }) => reported ?? []));

for (const name of REPORTED) test(`${name} is played`, () => assert.ok(played.has(name)));

const folder = process.env['MAILGRANT_CASES'] ?? '';
if (existsSync(folder))
  test('the list holds every situation of the folder', () => {
    const there = readdirSync(folder).flatMap((file) => /^(.+)\.(?:json|eml)$/.exec(file)?.[1] ?? []);
    assert.deepEqual(there.sort(), REPORTED);
  });

const VIAS = ['api', 'smtp'] as const;
interface Stack extends Laptop {
  readonly smtpPort: number;
  readonly hooks: Hooks;
  readonly documents: string;
  readonly app: ReturnType<typeof appAt>;
  close(): Promise<unknown>;
}
const TEMPLATES = Object.fromEntries(shipped().map(({ path, text }) => [path, text]));
const ALERTS = ['github-workflow-run', 'alertmanager', 'grafana'];
const laptops: Partial<Record<(typeof VIAS)[number], Stack>> = {};
before(async () => {
  for (const via of VIAS) {
    const { settings, config: read } = routed(Object.fromEntries(ALERTS.map((template) => [template, { ...ROUTE, template }])), TEMPLATES);
    const documentsOf = { collection: 'mail', database: '(default)', from: [MAILBOX, ALIAS] };
    const config = {
      ...CONFIG,
      routes: read.routes ?? [],
      documents: documentsOf,
      mailboxes: CONFIG.mailboxes.map((mailbox) => ({ ...mailbox, via })),
    };
    const laptop = await startQueued({ config, settings, delivery: 'direct', google: { smtp: {} } });
    const sidecar = await sidecarFor(laptop.api);
    const hooks = await startHooks(
      Object.fromEntries(ALERTS.map((template) => [template, routeOf(hookOf('bearer'), template, { template })])),
      laptop,
      TEMPLATES,
    );
    for (const name of ALERTS) hooks.store(name, BEARER);
    const app = appAt(laptop.google.url, laptop.google);
    const routesFile = `data:text/javascript,${encodeURIComponent(compileTexts({}, TEMPLATES, { all: true }).module)}`;
    const log = createLog((line) => laptop.lines.push(JSON.parse(line)));
    const documents = await serveOn(documentEvents({ ...laptop.edge, documents: () => app.documents, routesFile }, log));
    laptops[via] = Object.assign(laptop, {
      smtpPort: sidecar.port,
      hooks,
      app,
      documents: documents.url,
      async close() {
        documents.close();
        await hooks[Symbol.asyncDispose]();
        await sidecar[Symbol.asyncDispose]();
      },
    });
  }
});
after(async () => {
  for (const laptop of Object.values(laptops)) {
    await laptop?.close();
    await laptop?.[Symbol.asyncDispose]();
  }
});

type Finished = Extract<Case['input'], { message: string }>;
type Door = (input: Case['input'], laptop: Stack) => Promise<Pick<Played, 'status' | 'message'>>;
const BEARER = 'canary-bearer-token';
let serial = 0;

const DOORS: Readonly<Record<DoorName, Door>> = {
  async documents(input, { app, documents }) {
    const path = `mail/case-${++serial}`;
    await app.put(path, input);
    const { status } = await post(`${documents}/documents`, 'x', documentHeaders(path));
    const { state, error } = (await app.delivery(path)) ?? {};
    return { status: state === 'SUCCESS' ? 200 : status === 204 ? 422 : status, message: String(error ?? '') };
  },
  async hook(input, { hooks }) {
    const { route, event } = input as { route: string; event: unknown };
    const { status, body } = await post(`${hooks.url}/hooks/${route}`, event, { authorization: `Bearer ${BEARER}` });
    return { status, message: String(body?.['message'] ?? '') };
  },
  async route(input, { worker }) {
    const { route, event } = input as { route: string; event: unknown };
    const { status } = await post(`${worker}/routes/${route}`, envelope(event, { messageId: `case-${++serial}` }));
    return { status: status === 204 ? 200 : status, message: '' };
  },
  async push(input, { worker }) {
    const { status } = await post(`${worker}/`, input);
    return { status, message: '' };
  },
  async emails(input, { api }) {
    const { status, body } = await post(`${api}/emails`, input, authorised);
    return { status, message: String(body?.['message'] ?? '') };
  },
  async raw(input, { api }) {
    const { message, to } = input as Finished;
    const headers = {
      ...authorised,
      'content-type': 'message/rfc822',
      'x-envelope-from': 'notices@example.com',
      'x-envelope-to': to.join(','),
    };
    const { status, body } = await post(`${api}/v1/raw`, message, headers);
    return { status, message: String(body?.['message'] ?? '') };
  },
  async smtp(input, { smtpPort }) {
    const { message: raw, to } = input as Finished;
    const transport = createTransport({ host: '127.0.0.1', port: smtpPort, ignoreTLS: true, auth: { user: 'mailgrant', pass: KEY } });
    const sending = transport.sendMail({ raw, envelope: { from: 'notices@example.com', to: [...to] } });
    return sending.then(
      () => ({ status: 200, message: '' }),
      ({ responseCode, message }) => ({ status: responseCode, message }),
    );
  },
};

for (const { id, doors, input, vias = VIAS, right } of CASES)
  for (const door of doors)
    for (const via of vias)
      test(`${id}: right at ${door}, with a mailbox via ${via}`, async () => {
        const laptop = laptops[via];
        assert.ok(laptop);
        laptop.google.mails.clear();
        laptop.lines.length = 0;
        const before = laptop.google.pubsub.published(DEAD_TOPIC).length;
        const { status, message } = await DOORS[door](input, laptop);
        const [stored] = laptop.google.mails.list();
        const raw = stored?.raw.toString() ?? '';
        const dead = laptop.google.pubsub
          .published(DEAD_TOPIC)
          .slice(before)
          .map(({ attributes }) => `${attributes['reason']} ${attributes['detail'] ?? ''}`);
        const logged = JSON.stringify(laptop.lines);
        right({ status, message, dead, logged, raw, mail: stored ? await simpleParser(raw) : null, recipients: stored?.recipients ?? [] });
      });
