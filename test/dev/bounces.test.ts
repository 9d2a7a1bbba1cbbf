/** An email and its bounce on the whole local stack, each function in its own process: ledger, event, page, and the next email refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Resend } from 'resend';
import { Webhook } from 'standardwebhooks';
import { checkConfig } from '../../functions/config/schema.ts';
import { startStack } from '../../functions/dev/stack.ts';

const MAIL = { from: 'notices@example.com', to: 'you@example.net', subject: 'Hi', text: 'there' };
const FREE = { api: 0, worker: 0, hooks: 0, google: 0, inbox: 0, smtp: 0, smtps: 0 };

test('the button “bounce” ends in the ledger and in a verified event, and the next email to that address is refused', async () => {
  const told: { headers: Record<string, string>; body: string; type: string }[] = [];
  const expected = new Set(['email.sent', 'email.bounced', 'email.suppressed']);
  let allTold = (): void => {};
  const everything = new Promise<void>((done) => {
    allTold = done;
  });
  const app = createServer(async (req, res) => {
    const body = Buffer.concat(await req.toArray()).toString('utf8');
    const { type } = JSON.parse(body) as { type: string };
    told.push({ headers: req.headers as Record<string, string>, body, type });
    expected.delete(type);
    if (expected.size === 0) allTold();
    res.writeHead(204).end();
  });
  await new Promise<void>((done) => app.listen(0, '127.0.0.1', done));
  const { config, problems } = checkConfig({
    mailboxes: { 'notices@example.com': { bounces: true } },
    suppress: { bounced: '90d' },
    events: { app: { url: `http://127.0.0.1:${(app.address() as AddressInfo).port}/events`, secret: 'mailgrant-events' } },
  });
  assert.deepEqual(problems, []);
  assert.ok(config);
  let bounced = (): void => {};
  const recorded = new Promise<void>((done) => {
    bounced = done;
  });
  const onLine = (_: string, line: string): void => {
    if (line.includes('"event":"bounce"')) bounced();
  };
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  await using stack = await startStack({ config, folder, ports: FREE, ephemeral: true, deadlineSeconds: 60, onLine });
  const send = async () => {
    const headers = { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' };
    const reply = await fetch(`${stack.functions.api.url}/emails`, { method: 'POST', headers, body: JSON.stringify(MAIL) });
    return { status: reply.status, body: (await reply.json()) as Record<string, string> };
  };
  const { body: first } = await send();
  const [mail = ''] = stack.google.mails.ids();
  const form = new URLSearchParams({ id: mail });
  const answer = await fetch(`${stack.inbox.url}/bounces`, { method: 'POST', body: form, redirect: 'manual' });
  assert.equal(answer.status, 303);
  await recorded;
  const record = await fetch(`${stack.functions.api.url}/emails/${first['id']}`, { headers: { authorization: `Bearer ${stack.key}` } });
  assert.equal(((await record.json()) as Record<string, unknown>)['last_event'], 'bounced');
  const page = await (await fetch(`${stack.inbox.url}/mails/${mail}`)).text();
  assert.match(page, /What came back[\s\S]*Delivery Status Notification/);
  const again = await send();
  assert.deepEqual([again.status, again.body['code']], [422, 'recipient_suppressed']);
  await everything;
  app.close();
  app.closeAllConnections();
  const secret = readFileSync(join(stack.folder, 'hook-secrets', 'mailgrant-events'), 'utf8').trim();
  for (const { headers, body } of told) {
    const svix = { id: headers['svix-id'] ?? '', timestamp: headers['svix-timestamp'] ?? '', signature: headers['svix-signature'] ?? '' };
    assert.ok(new Resend('re_x').webhooks.verify({ payload: body, headers: svix, webhookSecret: secret }));
    assert.ok(new Webhook(secret).verify(body, headers));
  }
});
