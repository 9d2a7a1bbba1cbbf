import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Google } from '../../functions/fake-google/google.ts';
import type { Mailbox } from '../../functions/mail/model/config.ts';
import { SCOPE_MAIL, SCOPE_METADATA, SCOPE_SEND } from '../../functions/mail/model/scopes.ts';
import { ALIAS, authorised, CONFIG, MAIL, MAILBOX, PROJECT, SECRET, startLaptop, startQueued } from '../support/stack/laptop.ts';

const DELEGATE = 'delegate@laptop.iam.gserviceaccount.com';
const grantOf = (google: Google, address: string, scopes: string[]) =>
  google.storeSecret(PROJECT, SECRET, JSON.stringify({ ...google.oauth.enrol(address, scopes), address: undefined }));
const box = (change: Partial<Mailbox>): Mailbox => ({ ...(CONFIG.mailboxes[0] as Mailbox), ...change });

const rows: {
  name: string;
  mailbox?: Partial<Mailbox>;
  aliases?: string[];
  prepare: (google: Google) => void;
  ok: boolean;
  checks: string;
  code?: string;
}[] = [
  {
    name: 'a grant that may only send',
    prepare: () => {},
    ok: true,
    checks: 'grant ok, token ok, scope ok, account unknown, aliases unknown',
  },
  {
    name: 'a grant that shows its address',
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_SEND, 'openid', 'email']),
    ok: true,
    checks: 'grant ok, token ok, scope ok, account ok, aliases unknown',
  },
  {
    name: 'a grant of the whole mailbox',
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_MAIL]),
    ok: true,
    checks: 'grant ok, token ok, scope ok, account ok, aliases ok',
  },
  {
    name: 'a grant of another account',
    prepare: (google) => grantOf(google, 'ceo@example.com', [SCOPE_SEND, 'email']),
    ok: false,
    checks: 'grant ok, token ok, scope ok, account wrong, aliases unknown',
    code: 'account_mismatch',
  },
  {
    name: 'a scope that does not fit',
    mailbox: { via: 'smtp' },
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_SEND]),
    ok: false,
    checks: 'grant ok, token ok, scope wrong, account unknown, aliases unknown',
    code: 'scope_missing',
  },
  {
    name: 'an alias that waits to be verified',
    mailbox: { aliases: [ALIAS, 'pending@example.com'] },
    aliases: [ALIAS, 'pending@example.com'],
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_MAIL]),
    ok: false,
    checks: 'grant ok, token ok, scope ok, account ok, aliases wrong',
    code: 'alias_unverified',
  },
  {
    name: 'bounces, and a grant that may only send',
    mailbox: { bounces: true },
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_SEND]),
    ok: false,
    checks: 'grant ok, token ok, scope ok, account unknown, aliases unknown, bounces wrong',
    code: 'bounces_unreadable',
  },
  {
    name: 'bounces, and a grant that reads headers',
    mailbox: { bounces: true },
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_SEND, SCOPE_METADATA]),
    ok: true,
    checks: 'grant ok, token ok, scope ok, account unknown, aliases unknown, bounces ok',
  },
  {
    name: 'bounces over SMTP, and a grant that has gmail.metadata too',
    mailbox: { bounces: true, via: 'smtp' },
    prepare: (google) => grantOf(google, MAILBOX, [SCOPE_MAIL, SCOPE_METADATA]),
    ok: false,
    checks: 'grant ok, token ok, scope ok, account ok, aliases ok, bounces wrong',
    code: 'bounces_unreadable',
  },
  {
    name: 'bounces, and a delegation that may only send',
    mailbox: { bounces: true, grant: 'delegation', delegate: DELEGATE, aliases: [] },
    prepare: (google) => {
      google.delegation.letSign(DELEGATE);
      google.delegation.allow(DELEGATE, [SCOPE_SEND]);
    },
    ok: false,
    checks: 'grant ok, token ok, scope ok, account ok, bounces wrong',
    code: 'bounces_unreadable',
  },
  {
    name: 'bounces, and a delegation of both scopes',
    mailbox: { bounces: true, grant: 'delegation', delegate: DELEGATE, aliases: [] },
    prepare: (google) => {
      google.delegation.letSign(DELEGATE);
      google.delegation.allow(DELEGATE, [SCOPE_SEND, SCOPE_METADATA]);
    },
    ok: true,
    checks: 'grant ok, token ok, scope ok, account ok, bounces ok',
  },
  {
    name: 'a revoked grant',
    prepare: (google) => google.oauth.revoke(MAILBOX),
    ok: false,
    checks: 'grant ok, token wrong',
    code: 'grant_revoked',
  },
  { name: 'a missing secret', mailbox: { secret: 'none' }, prepare: () => {}, ok: false, checks: 'grant wrong', code: 'grant_missing' },
  {
    name: 'a secret that is no grant',
    prepare: (google) => google.storeSecret(PROJECT, SECRET, 'x'),
    ok: false,
    checks: 'grant wrong',
    code: 'grant_malformed',
  },
  {
    name: 'a secret that may not be read',
    prepare: (google) => google.faults.script({ on: 'secret', answer: 'permission_denied' }),
    ok: false,
    checks: 'grant wrong',
    code: 'grant_unreadable',
  },
  {
    name: 'a tokeninfo that is down',
    prepare: (google) => google.faults.script({ on: 'inspect', answer: 'cloud_unavailable', standing: true }),
    ok: true,
    checks: 'grant ok, token ok, scope unknown',
  },
  {
    name: 'a delegation that is missing',
    mailbox: { grant: 'delegation', delegate: DELEGATE, aliases: [] },
    prepare: (google) => google.delegation.letSign(DELEGATE),
    ok: false,
    checks: 'grant ok, token wrong',
    code: 'delegation_missing',
  },
  {
    name: 'a delegation that works',
    mailbox: { grant: 'delegation', delegate: DELEGATE, aliases: [] },
    prepare: (google) => {
      google.delegation.letSign(DELEGATE);
      google.delegation.allow(DELEGATE, [SCOPE_SEND]);
    },
    ok: true,
    checks: 'grant ok, token ok, scope ok, account ok',
  },
];
for (const { name, mailbox = {}, aliases = [ALIAS], prepare, ok, checks, code } of rows)
  test(`${name}: ${checks}`, async () => {
    await using laptop = await startLaptop({ config: { ...CONFIG, mailboxes: [box(mailbox)] }, google: { aliasesOf: () => aliases } });
    prepare(laptop.google);
    const reply = await fetch(laptop.watch, { method: 'POST' });
    const body = (await reply.json()) as { ok: boolean; mailboxes: { checks: string; code?: string; fix?: string }[] };
    assert.deepEqual([reply.status, body.ok, body.mailboxes[0]?.checks, body.mailboxes[0]?.code], [200, ok, checks, code]);
    assert.deepEqual(
      laptop.lines.map(({ severity, event, code: logged, fix }) => [severity, event, logged, typeof fix]),
      code?.startsWith('bounces_')
        ? [
            ['INFO', 'grant', undefined, 'undefined'], // it can send
            ['ERROR', 'bounces', code, 'string'],
          ]
        : [[ok ? 'INFO' : 'ERROR', 'grant', code, code ? 'string' : 'undefined']],
    );
    assert.doesNotMatch(JSON.stringify([body, laptop.lines]), /canary|@example/);
    assert.equal(laptop.google.mails.count(), 0);
  });

test('several mailboxes are looked at, one line each; a sick one does not hide the others', async () => {
  const other = box({ address: 'billing@example.com', secret: 'none', aliases: [] });
  await using laptop = await startLaptop({ config: { ...CONFIG, mailboxes: [other, box({})] } });
  await fetch(laptop.watch, { method: 'POST' });
  assert.deepEqual(
    laptop.lines.map(({ ok }) => ok),
    [false, true],
  );
});

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const file = join(folder, 'mailgrant.yaml');
writeFileSync(file, `mailboxes:\n  ${MAILBOX}: { secret: ${SECRET} }\n`);

for (const [name, dead, status, says] of [
  ['a live grant', false, 0, /^ok +notices@example\.com +grant ok, token ok[\s\S]*Every mailbox can send/],
  ['a dead grant', true, 1, /^WRONG +notices@example\.com[\s\S]*grant_revoked: [\s\S]*fix: .*rotate ADDRESS/],
] as const)
  test(`npx mailgrant watch on ${name} exits with ${status}`, async () => {
    await using laptop = await startLaptop();
    if (dead) laptop.google.oauth.revoke(MAILBOX);
    const env = { ...process.env, MAILGRANT_GOOGLE_URL: laptop.google.url };
    const child = spawn(process.execPath, ['functions/cli/main.ts', 'watch', '--config', file, '--project', PROJECT], { env });
    const out = await Array.fromAsync(child.stdout).then((chunks) => Buffer.concat(chunks).toString());
    const code = await new Promise((done) => (child.exitCode === null ? child.once('exit', done) : done(child.exitCode)));
    assert.deepEqual([code, says.test(out)], [status, true], out);
    assert.doesNotMatch(out, /canary/);
  });

test('accepted emails whose message does not come are told; what is on time is not', async () => {
  const clock = { now: Date.UTC(2026, 10, 24, 8) };
  await using laptop = await startQueued({ now: () => clock.now });
  const headers = { ...authorised, 'content-type': 'application/json' };
  for (const mail of [MAIL, { ...MAIL, scheduled_at: 'in 20 minutes' }, { ...MAIL, scheduled_at: 'in 3 hours' }])
    assert.equal((await fetch(`${laptop.api}/emails`, { method: 'POST', headers, body: JSON.stringify(mail) })).status, 200);
  const told = async () => {
    laptop.lines.length = 0;
    assert.equal((await fetch(laptop.watch, { method: 'POST' })).status, 200);
    return laptop.lines.filter(({ event }) => event === 'overdue').map(({ severity, emails }) => [severity, emails]);
  };
  assert.deepEqual(await told(), []);
  clock.now += 60 * 60_000; // no message is delivered meanwhile
  assert.deepEqual(await told(), [['ERROR', 2]]);
});
