/** Situations from public bug reports, played at every door they come to, each with the right value. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { authorised, CONFIG, KEY, type Laptop, post, startQueued } from '../support/stack/laptop.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';
import { CONTENT } from './content.ts';
import type { Case, Played } from './rows.ts';

const CASES: readonly Case[] = [...CONTENT];

const VIAS = ['api', 'smtp'] as const;
const laptops: Partial<Record<(typeof VIAS)[number], Laptop & { readonly smtpPort: number; close(): unknown }>> = {};
before(async () => {
  for (const via of VIAS) {
    const config = { ...CONFIG, mailboxes: CONFIG.mailboxes.map((mailbox) => ({ ...mailbox, via })) };
    const laptop = await startQueued({ config, delivery: 'direct', google: { smtp: {} } });
    const sidecar = await sidecarFor(laptop.api);
    laptops[via] = Object.assign(laptop, { smtpPort: sidecar.port, close: () => sidecar[Symbol.asyncDispose]() });
  }
});
after(async () => {
  for (const laptop of Object.values(laptops)) {
    await laptop?.close();
    await laptop?.[Symbol.asyncDispose]();
  }
});

type Finished = Extract<Case['input'], { message: string }>;
type Door = (input: Case['input'], laptop: Laptop & { readonly smtpPort: number }) => Promise<Pick<Played, 'status' | 'message'>>;

const DOORS: Readonly<Record<Case['doors'][number], Door>> = {
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
        const { status, message } = await DOORS[door](input, laptop);
        const [stored] = laptop.google.mails.list();
        const raw = stored?.raw.toString() ?? '';
        right({ status, message, raw, mail: stored ? await simpleParser(raw) : null, recipients: stored?.recipients ?? [] });
      });
