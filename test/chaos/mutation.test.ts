/** The chaos run's broken core, in one process: whoever dies between the bytes and the record of them sends them twice. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, type Plugin } from 'esbuild';
import type { FailureCode } from '../../functions/mail/model/failure.ts';

import type { send as Send } from '../../functions/mail/queue/process-message.ts';
import { brokenCore } from '../explore/broken-core.ts';
import type { Core } from '../explore/scenario.ts';
import { world } from '../explore/world.ts';
import { CONFIG, MAIL } from '../support/stack/laptop.ts';
import { breaking, MUTATIONS, mutated } from './mutation.ts';

async function core(plugins: Plugin[]): Promise<{ send: typeof Send }> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'core.cjs');
  await build({
    entryPoints: ['functions/mail/queue/process-message.ts'],
    outfile,
    plugins,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  return (await import(outfile)) as { send: typeof Send };
}

/** The mails that Gmail has after a process died right after it took one, and the mail was delivered again. */
async function mailsAfterDeath({ send }: { send: typeof Send }): Promise<number> {
  const ports = world();
  const taken = new Set<string>();
  let died = (): void => {};
  const death = new Promise<void>((done) => {
    died = done;
  });
  let opened = 0;
  ports.openSession = async () => `session-${++opened}`;
  ports.querySession = async (session) =>
    taken.has(session) ? { state: 'accepted', gmailId: session } : { state: 'partial', received: 0 };
  const transfer = async (session: string) => {
    taken.add(session);
    return { state: 'accepted', gmailId: session } as const;
  };
  ports.upload = async (session) => {
    await transfer(session);
    died();
    return new Promise(() => {}); // its process is no more
  };
  const order = { body: MAIL, caller: { id: 'pubsub', from: null, to: null }, key: 'own:1', retryFailed: false };
  send(order, CONFIG, ports).catch(() => {});
  await death;
  ports.clock += ports.leaseMs + 1;
  ports.upload = transfer;
  const { state } = await send(order, CONFIG, ports);
  assert.equal(state, 'sent');
  return taken.size;
}

test('a death right after Gmail took the mail: the core asks, and there is one mail', async () =>
  assert.equal(await mailsAfterDeath(await core([])), 1));

test('with the session saved after the bytes there are two', async () =>
  assert.equal(await mailsAfterDeath(await core([breaking('session-after-bytes')])), 2));

/** The messages that Gmail made of an email whose transfer is answered so, and which is asked for until it is sent. */
async function messagesAfter(answer: 'half' | FailureCode, { accept, MailFailure }: Core): Promise<number> {
  const ports = world();
  const taken = new Set<string>();
  let opened = 0;
  ports.openSession = async () => `session-${++opened}`;
  ports.upload = async (session, { bytes }) => {
    const again = taken.has(session);
    taken.add(session);
    if (opened > 1) return { state: 'accepted', gmailId: session };
    if (answer === 'half' && !again) return { state: 'partial', received: bytes.length >> 1 }; // and the rest still travels
    throw new MailFailure(answer === 'half' ? 'rate_limited' : answer, 'scripted');
  };
  const began = ports.clock;
  ports.querySession = async (session) => {
    if (ports.clock === began) return { state: 'accepted', gmailId: session };
    throw new MailFailure('delivery_unknown', 'scripted'); // whoever asks later learns nothing
  };
  const order = { body: MAIL, caller: { id: 'pubsub', from: null, to: null }, key: 'own:1', retryFailed: false };
  for (let delivery = 0; delivery < 3; delivery++) {
    await accept(order, CONFIG, ports).catch(() => {});
    ports.clock += 2 * 60 * 60_000;
  }
  return taken.size;
}

for (const [answer, name] of [
  ['half', 'proof-by-error-path'],
  ['rate_limited', 'refusal-is-proof'],
] as const)
  test(`${answer} to the whole email: one message, and two with ${name}`, async () => {
    assert.equal(await messagesAfter(answer, await brokenCore([])), 1);
    assert.equal(await messagesAfter(answer, await brokenCore(MUTATIONS[name])), 2);
  });

test('each mutation finds its place in the code', () => {
  for (const places of Object.values(MUTATIONS))
    for (const place of places) assert.notEqual(mutated(place, readFileSync(place.file, 'utf8')), readFileSync(place.file, 'utf8'));
});

test('a mutation whose place is gone is an error', () =>
  assert.throws(() => mutated({ file: 'x.ts', from: 'a', to: 'b' }, 'nothing here'), /x\.ts has changed/));
