import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../functions/config/load-config.ts';
import { connect } from '../../../functions/google/connect.ts';
import { scopeFor } from '../../../functions/mail/model/scopes.ts';
import { consentAt } from '../../support/programs/person.ts';
import { PROJECT, settingsFor } from '../../support/stack/laptop.ts';
import { consents, type Desk, type Line, NOTICES, SALES, SECRET_ID, startDesk } from '../../support/stack/operator.ts';

const SECRET_WORD = /canary/;
const authorized = (desk: Desk, line: Line = {}) => desk.run('authorize', { ...line, options: { client: desk.clientFile } });
const passes = { on: 'secret' } as const;
const forbidden = { ...passes, status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no' } } } as const;

test('rotate stores a new grant, disables the older versions, and ends no refresh token at Google', async () => {
  await using desk = await startDesk();
  await authorized(desk);
  await authorized(desk);
  const older = await desk.payload(1);
  const { data, text } = await desk.run('rotate', {});
  assert.deepEqual([data['ok'], data['version'], data['disabled']], [true, 3, [2, 1]]);
  assert.deepEqual(await desk.versions(), ['DISABLED', 'DISABLED', 'ENABLED']);
  assert.equal(await desk.mints(), 'minted');
  const form = { grant_type: 'refresh_token', ...(older as Record<string, string>) };
  const reply = await fetch(`${desk.google.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
  assert.deepEqual([reply.status, desk.google.calls.revoke], [200, 0]);
  assert.match(text, /Disabled: version 2, version 1/);
  assert.doesNotMatch(desk.shown(), SECRET_WORD);
});

test('a function that kept the old grant in memory goes on, and takes the new one when Google refuses the old', async () => {
  await using desk = await startDesk();
  await authorized(desk);
  const config = loadConfig(desk.configFile);
  const edge = connect(settingsFor(desk.google.url, { config }), () => {});
  const mint = () => edge.startInvocation().token({ mailbox: config.mailboxes[0] } as never);
  await mint();
  await desk.run('rotate', {});
  const reads = desk.google.calls.secret;
  await mint();
  assert.equal(desk.google.calls.secret, reads); // from memory
  desk.google.faults.script({ on: 'token', answer: 'invalid_grant' });
  await mint();
  assert.equal(desk.google.calls.secret, reads + 1);
});

const refusals: { name: string; person: (desk: Desk) => Line['person']; code: string; states: string[]; changed: RegExp | null }[] = [
  { name: 'denied', person: () => consents({ decision: 'deny' }), code: 'consent_denied', states: ['ENABLED'], changed: null },
  { name: 'another account', person: () => consents({ account: SALES }), code: 'account_mismatch', states: ['ENABLED'], changed: null },
  {
    // Consent's own exchange and proof pass; the third is the proof from the store.
    name: 'a stored version that gives no token',
    person: scripting({ on: 'token' }, { on: 'token' }, { on: 'token', answer: 'invalid_grant' }),
    code: 'proof_failed',
    states: ['ENABLED', 'ENABLED'],
    changed: /version 2/,
  },
  {
    name: 'a stored version that cannot be read',
    person: scripting(passes, forbidden),
    code: 'proof_failed',
    states: ['ENABLED', 'ENABLED'],
    changed: /version 2/,
  },
  {
    name: 'an older version that may not be disabled',
    person: scripting(passes, passes, passes, forbidden),
    code: 'versions_left',
    states: ['ENABLED', 'ENABLED'],
    changed: /version 2/,
  },
];
function scripting(...faults: Parameters<Desk['google']['faults']['script']>) {
  return (desk: Desk): Line['person'] =>
    async (url) => {
      const location = await consentAt(url);
      desk.google.faults.script(...faults);
      await desk.comeBack(location);
    };
}
for (const { name, person, code, states, changed } of refusals)
  test(`rotate, ${name}: ${code}, and the older version goes on`, async () => {
    await using desk = await startDesk();
    await authorized(desk);
    const { ok, data } = await desk.run('rotate', { person: person(desk) as NonNullable<Line['person']> });
    assert.deepEqual([ok, data['code'], await desk.versions(), await desk.mints()], [false, code, states, 'minted']);
    if (changed) assert.match(String(data['changed']), changed);
    else assert.equal(data['changed'], null);
    assert.doesNotMatch(desk.shown(), SECRET_WORD);
  });

for (const endOthers of [false, true])
  test(`rotate to another OAuth client${endOthers ? ' with --end-others ends the old grant at Google' : ' leaves the old grant alive'}; the new one mints`, async () => {
    await using desk = await startDesk();
    const web = desk.google.clients.find(String((desk.google.clients.file('web')['web'] as { client_id: string }).client_id));
    assert.ok(web);
    const refresh_token = desk.google.oauth.consent(web, NOTICES, [scopeFor('api')]);
    const older = { client_id: web.id, client_secret: web.secret, refresh_token, address: NOTICES };
    desk.google.storeSecret(PROJECT, SECRET_ID, JSON.stringify(older));
    const { data } = await desk.run('rotate', { options: { client: desk.clientFile, [endOthers ? 'end-others' : 'keep-others']: true } });
    assert.deepEqual([data['ok'], data['disabled'], data['ended']], [true, [1], endOthers ? ['revoked'] : []]);
    const reply = await fetch(`${desk.google.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', ...older }),
    });
    assert.deepEqual([reply.status, await desk.mints()], [endOthers ? 400 : 200, 'minted']);
    const same = await desk.run('rotate', { options: { [endOthers ? 'end-others' : 'keep-others']: true } });
    assert.deepEqual([same.data['ended'], await desk.mints()], [[], 'minted']); // of one client: it would die with the new one
  });

test('rotate --dry-run says which versions there are', async () => {
  await using desk = await startDesk();
  await authorized(desk);
  const { data } = await desk.run('rotate', { options: { 'dry-run': true } });
  assert.deepEqual([data['dryRun'], data['enabled'], await desk.versions()], [true, [1], ['ENABLED']]);
});

test('revoke ends the grant at Google and disables every version; again, it is fine', async () => {
  await using desk = await startDesk();
  await authorized(desk);
  await authorized(desk);
  await authorized(desk, { words: [SALES] });
  const first = await desk.run('revoke', { options: { yes: true } });
  assert.deepEqual([first.data['ok'], first.data['atGoogle'], first.data['disabled']], [true, 'revoked', [2, 1]]);
  assert.deepEqual(
    [await desk.versions(), await desk.mints(), await desk.mints(SALES)],
    [['DISABLED', 'DISABLED'], 'grant_unreadable', 'minted'],
  );
  const again = await desk.run('revoke', { options: { yes: true } });
  assert.deepEqual([again.data['ok'], again.data['disabled']], [true, []]);
  assert.doesNotMatch(desk.shown(), SECRET_WORD);
});

test('revoke is fine where Google had ended the grant before, and where there never was one', async () => {
  await using desk = await startDesk();
  assert.equal((await desk.run('revoke', { options: { yes: true } })).data['ok'], true);
  await authorized(desk);
  desk.google.oauth.revoke(NOTICES);
  const { data } = await desk.run('revoke', { options: { yes: true } });
  assert.deepEqual([data['atGoogle'], await desk.versions()], ['gone', ['DISABLED']]);
});

test('a version that holds something else is disabled too', async () => {
  await using desk = await startDesk();
  desk.google.storeSecret('laptop', SECRET_ID, 'canary-nonsense');
  const { data } = await desk.run('revoke', { options: { yes: true } });
  assert.deepEqual([data['atGoogle'], await desk.versions()], [null, ['DISABLED']]);
  assert.doesNotMatch(desk.shown(), SECRET_WORD);
});

const revocations: { name: string; line: (desk: Desk) => Line; code: string; states: string[] }[] = [
  { name: 'nobody to ask', line: () => ({}), code: 'confirmation_missing', states: ['ENABLED'] },
  {
    name: 'a no',
    line: () => ({ terminal: { interactive: true, ask: async () => 'n' } }),
    code: 'confirmation_missing',
    states: ['ENABLED'],
  },
  {
    name: 'Google down',
    line: (desk) => {
      desk.google.faults.script({ on: 'revoke', status: 403 });
      return { options: { yes: true } };
    },
    code: 'revoke_failed',
    states: ['ENABLED'],
  },
  {
    name: 'versions that may not be read',
    line: (desk) => {
      desk.google.faults.script(passes, forbidden);
      return { options: { yes: true } };
    },
    code: 'secret_unreadable',
    states: ['ENABLED'],
  },
  {
    name: 'versions that may not be disabled',
    line: (desk) => {
      desk.google.faults.script(passes, passes, passes, passes, passes, forbidden);
      return { options: { yes: true } };
    },
    code: 'versions_left',
    states: ['ENABLED'],
  },
];
for (const { name, line, code, states } of revocations)
  test(`revoke, ${name}: ${code}`, async () => {
    await using desk = await startDesk();
    await authorized(desk);
    const { ok, data } = await desk.run('revoke', line(desk));
    assert.deepEqual([ok, data['code'], await desk.versions()], [false, code, states]);
    assert.equal(desk.google.calls.revoke > 0, code === 'revoke_failed' || code === 'versions_left');
  });

test('a yes at the terminal is enough; a dry run ends nothing', async () => {
  await using desk = await startDesk();
  await authorized(desk);
  const dry = await desk.run('revoke', { options: { 'dry-run': true } });
  assert.deepEqual([dry.data['disabled'], await desk.mints()], [[1], 'minted']);
  const { data } = await desk.run('revoke', { terminal: { interactive: true, ask: async () => ' Yes ' } });
  assert.equal(data['atGoogle'], 'revoked');
});

test('after rotate to another client, revoke says what it did not look into, and --all ends that too', async () => {
  await using desk = await startDesk();
  const web = desk.google.clients.find(String((desk.google.clients.file('web')['web'] as { client_id: string }).client_id));
  assert.ok(web);
  const refresh_token = desk.google.oauth.consent(web, NOTICES, [scopeFor('api')]);
  const older = { client_id: web.id, client_secret: web.secret, refresh_token, address: NOTICES };
  desk.google.storeSecret(PROJECT, SECRET_ID, JSON.stringify(older));
  const lives = async () =>
    (await fetch(`${desk.google.url}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', ...older }) }))
      .status;
  const asked = await desk.run('rotate', { options: { client: desk.clientFile } });
  assert.deepEqual([asked.data['code'], await desk.versions()], ['option_invalid', ['ENABLED']]);
  await desk.run('rotate', { options: { client: desk.clientFile, 'keep-others': true } });
  const first = await desk.run('revoke', { options: { yes: true } });
  assert.deepEqual([first.data['atGoogle'], first.data['unseen'], await lives()], ['revoked', [1], 200]);
  assert.match(first.text, /--all/);
  const all = await desk.run('revoke', { options: { yes: true, all: true } });
  assert.deepEqual([all.data['atGoogle'], await lives(), await desk.versions()], ['revoked', 400, ['DISABLED', 'DISABLED']]);
});

test('a revocation whose answer is lost is asked for again, and is over', async () => {
  await using desk = await startDesk();
  await authorized(desk);
  desk.google.faults.script({ on: 'revoke', reset: 'after' });
  const { data } = await desk.run('revoke', { options: { yes: true } });
  assert.deepEqual([data['ok'], data['atGoogle'], await desk.versions()], [true, 'revoked', ['DISABLED']]);
});
