import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scopesFor } from '../../../functions/cli/grants/consent.ts';
import { faultOf } from '../../../functions/cli/grants/consent-response.ts';
import { checkConfig } from '../../../functions/config/schema.ts';
import { freePort } from '../../../functions/dev/function-process.ts';
import { INSTALLED_ID } from '../../../functions/fake-google/oauth/clients.ts';
import { idToken } from '../../../functions/fake-google/oauth/identity.ts';
import { SCOPE_MAIL, SCOPE_METADATA, SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { consentAt } from '../../support/programs/person.ts';
import { consents, type Desk, type Line, NOTICES, SALES, SECRET_ID, startDesk } from '../../support/stack/operator.ts';

/** Every token, code, client secret and id_token of the fakes carries this word. */
const SECRET_WORD = /canary/;
const withClient = (desk: Desk, line: Line = {}): Line => ({ ...line, options: { client: desk.clientFile, ...line.options } });

test('a mailbox consents, and its grant is in Secret Manager, works, and was shown nowhere', async () => {
  await using desk = await startDesk();
  const { ok, data, text } = await desk.run('authorize', withClient(desk));
  assert.equal(ok, true);
  assert.deepEqual([data['version'], data['created'], data['secret'], data['address']], [1, true, SECRET_ID, NOTICES]);
  const { refresh_token, client_secret, created, ...rest } = await desk.payload(1);
  assert.deepEqual(rest, {
    client_id: INSTALLED_ID,
    address: NOTICES,
    scopes: ['openid', 'https://www.googleapis.com/auth/userinfo.email', SCOPE_SEND],
  });
  assert.match(`${refresh_token} ${client_secret} ${created}`, /^1\/\/0canary-\S+ GOCSPX-canary-\S+ \d{4}-\d\d-\d\dT/);
  assert.equal(await desk.mints(), 'minted');
  assert.match(text, /7 days/);
  assert.doesNotMatch(desk.shown(), SECRET_WORD);
});

test('via: smtp asks for the whole mailbox', async () => {
  await using desk = await startDesk();
  const { data } = await desk.run('authorize', withClient(desk, { words: ['Post@Example.com'] }));
  assert.deepEqual([data['ok'], (data['scopes'] as string[]).includes(SCOPE_MAIL)], [true, true]);
});

test('bounces: true asks for gmail.metadata too, and a person who leaves it unticked is told', () => {
  const [mailbox] = checkConfig({ mailboxes: { [NOTICES]: { bounces: true } } }).config?.mailboxes ?? [];
  assert.ok(mailbox);
  assert.deepEqual(scopesFor(mailbox), ['openid', 'email', SCOPE_SEND, SCOPE_METADATA]);
  assert.deepEqual(scopesFor({ ...mailbox, via: 'smtp' }), ['openid', 'email', SCOPE_MAIL]); // which reads everything, and must stand alone
  const granted = { refreshToken: new SecretString('canary'), email: NOTICES, emailVerified: true, endsInS: null };
  assert.equal(faultOf({ ...granted, scopes: [SCOPE_SEND] }, mailbox)?.code, 'scope_missing');
  assert.equal(faultOf({ ...granted, scopes: [SCOPE_SEND, SCOPE_METADATA] }, mailbox), null);
});

test('a second consent adds a version; without --client it is the client of the stored grant that asks', async () => {
  await using desk = await startDesk();
  await desk.run('authorize', withClient(desk));
  const { data } = await desk.run('authorize', {});
  assert.deepEqual([data['version'], data['created'], await desk.versions()], [2, false, ['ENABLED', 'ENABLED']]);
});

test('the client may come from a secret', async () => {
  await using desk = await startDesk();
  desk.google.storeSecret('laptop', 'oauth-client', JSON.stringify(desk.google.clients.file('installed')));
  const { data } = await desk.run('authorize', { options: { 'client-secret': 'oauth-client' } });
  assert.equal(data['ok'], true);
});

test('without a browser the address is printed, and the pasted one does', async () => {
  await using desk = await startDesk();
  const terminal = {
    ask: async () => consentAt(/^ {2}(http\S+)$/m.exec(desk.shown())?.[1] ?? ''),
    open: async () => assert.fail('a browser was opened'),
  };
  const { data } = await desk.run('authorize', withClient(desk, { options: { 'no-browser': true }, terminal }));
  assert.deepEqual([data['ok'], await desk.mints()], [true, 'minted']);
  assert.doesNotMatch(desk.shown(), SECRET_WORD);
});

test('a dry run asks nobody and writes nothing', async () => {
  await using desk = await startDesk();
  const person = async () => assert.fail('a browser was opened');
  const { data } = await desk.run('authorize', withClient(desk, { person, options: { 'dry-run': true } }));
  assert.deepEqual([data['ok'], data['dryRun'], data['exists'], await desk.versions()], [true, true, false, null]);
});

test('a refresh token that Google exchanged while it was proved is the one that is stored', async () => {
  await using desk = await startDesk();
  desk.google.oauth.rotateNext(NOTICES);
  await desk.run('authorize', withClient(desk));
  assert.equal(await desk.mints(), 'minted');
});

test('an end that Google sets to the grant is told as a date', async () => {
  await using desk = await startDesk();
  const { text } = await desk.run('authorize', withClient(desk, { person: answersBy(desk, { refresh_token_expires_in: 604_799 }) }));
  assert.match(text, /Google says that this grant ends on \d{4}-\d\d-\d\d/);
});

/** The person consents, and the exchange is answered by the real answer with some fields changed. */
function answersBy(desk: Desk, change: Record<string, unknown>): NonNullable<Line['person']> {
  return async (url) => {
    const location = await consentAt(url);
    const client = INSTALLED_ID;
    const scopes = ['openid', 'https://www.googleapis.com/auth/userinfo.email', SCOPE_SEND];
    const found = desk.google.clients.find(client);
    assert.ok(found);
    const body = {
      ...desk.google.oauth.issue(NOTICES, scopes, client),
      refresh_token: desk.google.oauth.consent(found, NOTICES, scopes),
      id_token: idToken(client, NOTICES, true, Date.now()),
      ...change,
    };
    desk.google.faults.script({ on: 'token', status: 200, body });
    await desk.comeBack(location);
  };
}

const forbidden = { on: 'secret', status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no' } } } as const;
const passes = { on: 'secret' } as const;

interface Row {
  readonly name: string;
  readonly line?: (desk: Desk) => Line;
  readonly code: string;
  readonly unstored?: 'revoked' | 'kept' | 'failed' | 'unknown';
  /** Something is stored before, so that there is more to break. */
  readonly after?: (desk: Desk) => Promise<unknown>;
}

const write = (desk: Desk, value: unknown): Line => {
  const file = join(desk.folder, 'other.json');
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value));
  return { options: { client: file } };
};
const stored = (desk: Desk): Promise<unknown> => desk.run('authorize', withClient(desk));
const storedSales = (desk: Desk): Promise<unknown> => desk.run('authorize', withClient(desk, { words: [SALES] }));

const rows: Row[] = [
  { name: 'denied', line: (desk) => withClient(desk, { person: consents({ decision: 'deny' }) }), code: 'consent_denied' },
  {
    name: 'another account',
    line: (desk) => withClient(desk, { person: consents({ account: 'me@example.net' }) }),
    code: 'account_mismatch',
    unstored: 'revoked',
  },
  {
    name: 'the account of another mailbox, whose grant would end too',
    after: storedSales,
    line: (desk) => withClient(desk, { person: consents({ account: SALES }) }),
    code: 'account_mismatch',
    unstored: 'kept',
  },
  {
    name: 'an address that was never verified',
    line: (desk) => withClient(desk, { words: ['unverified@example.com'] }),
    code: 'account_unverified',
    unstored: 'revoked',
  },
  {
    name: 'the Gmail box left unticked',
    line: (desk) => withClient(desk, { person: consents({ untick: true }) }),
    code: 'scope_missing',
    unstored: 'revoked',
  },
  {
    name: 'the Gmail box left unticked, over an older grant',
    after: stored,
    line: (desk) => withClient(desk, { person: consents({ untick: true }) }),
    code: 'scope_missing',
    unstored: 'kept',
  },
  {
    name: 'no refresh token',
    line: (desk) => withClient(desk, { person: answersBy(desk, { refresh_token: undefined }) }),
    code: 'refresh_token_missing',
  },
  {
    name: 'no id_token: then nothing is known of other grants',
    line: (desk) => withClient(desk, { person: answersBy(desk, { id_token: undefined }) }),
    code: 'account_unverified',
    unstored: 'kept',
  },
  {
    name: 'an id_token for another client',
    line: (desk) => withClient(desk, { person: answersBy(desk, { id_token: idToken('other', NOTICES, true, Date.now()) }) }),
    code: 'account_unverified',
    unstored: 'kept',
  },
  {
    name: 'only an answer to another page',
    line: (desk) =>
      withClient(desk, {
        person: async (url) => desk.comeBack((await consentAt(url)).replace(/state=[^&]+/, 'state=x')),
        options: { timeout: '0.2' },
      }),
    code: 'consent_timeout',
  },
  {
    name: 'the pasted answer to another page',
    line: (desk) =>
      withClient(desk, {
        options: { 'no-browser': true },
        terminal: { ask: async () => 'http://127.0.0.1:53219/?code=4/0canary-x&state=other' },
      }),
    code: 'state_mismatch',
  },
  {
    name: 'a Web client whose port does not exist',
    line: (desk) => write(desk, { web: { client_id: 'x', client_secret: 'canary-y', redirect_uris: ['http://127.0.0.1:99999/'] } }),
    code: 'client_wrong_type',
  },
  {
    name: 'a blank in the client id',
    line: (desk) => write(desk, { installed: { client_id: 'x y', client_secret: 'canary-y' } }),
    code: 'client_unreadable',
  },
  {
    name: 'a Workspace policy',
    line: (desk) =>
      withClient(desk, {
        person: async (url) =>
          desk.comeBack((await consentAt(url, { decision: 'deny' })).replace('access_denied', 'admin_policy_enforced')),
      }),
    code: 'consent_blocked',
  },
  {
    name: 'a closed window',
    line: (desk) => withClient(desk, { person: async () => {}, options: { timeout: '0.02' } }),
    code: 'consent_timeout',
  },
  {
    name: 'a code that Google does not take',
    line: (desk) => {
      desk.google.faults.script({ on: 'token', answer: 'invalid_grant' });
      return withClient(desk);
    },
    code: 'code_refused',
  },
  {
    name: 'a client secret that Google does not know',
    line: (desk) => write(desk, { installed: { client_id: INSTALLED_ID, client_secret: 'GOCSPX-canary-other' } }),
    code: 'client_unreadable',
  },
  {
    name: 'a token endpoint that is down',
    line: (desk) => {
      desk.google.faults.script({ on: 'token', reset: 'before' });
      return withClient(desk);
    },
    code: 'google_unavailable',
    unstored: 'unknown',
  },
  {
    name: 'a grant that gives no token',
    line: (desk) => {
      desk.google.faults.script({ on: 'token' }, { on: 'token', answer: 'invalid_grant' });
      return withClient(desk);
    },
    code: 'grant_revoked',
    unstored: 'revoked',
  },
  {
    name: 'a grant that gives no token, and a revocation that fails',
    line: (desk) => {
      desk.google.faults.script({ on: 'token' }, { on: 'token', answer: 'invalid_grant' }, { on: 'revoke', status: 403 });
      return withClient(desk);
    },
    code: 'grant_revoked',
    unstored: 'failed',
  },
  {
    name: 'a secret that may not be written, found before anyone is asked',
    after: stored,
    line: (desk) => {
      desk.google.faults.script({ ...passes, status: 200, body: {} });
      return withClient(desk, { person: async () => assert.fail('the person was asked') });
    },
    code: 'secret_not_writable',
  },
  {
    name: 'a secret that may not be made',
    line: (desk) => withClient(desk, { person: beforeReturning(desk, passes, forbidden) }),
    code: 'secret_not_writable',
    unstored: 'revoked',
  },
  {
    name: 'a secret that may not even be looked at',
    line: (desk) => {
      desk.google.faults.script(passes, forbidden);
      return withClient(desk, { person: async () => assert.fail('the person was asked') });
    },
    code: 'secret_not_writable',
  },
  {
    name: 'a version that may not be added after all, over an older grant',
    after: stored,
    line: (desk) => withClient(desk, { person: beforeReturning(desk, forbidden) }),
    code: 'secret_not_writable',
    unstored: 'kept',
  },
  {
    name: 'the same, where the older grants cannot be read',
    after: stored,
    line: (desk) => withClient(desk, { person: beforeReturning(desk, forbidden, forbidden) }),
    code: 'secret_not_writable',
    unstored: 'kept',
  },
  { name: 'a Web application', line: (desk) => write(desk, desk.google.clients.file('web')), code: 'client_wrong_type' },
  { name: 'the key of a service account', line: (desk) => write(desk, { type: 'service_account' }), code: 'client_wrong_type' },
  { name: 'a grant for a client', line: (desk) => write(desk, { refresh_token: 'x' }), code: 'client_wrong_type' },
  { name: 'a client without a secret', line: (desk) => write(desk, { installed: { client_id: 'x' } }), code: 'client_wrong_type' },
  { name: 'a client that is no JSON', line: (desk) => write(desk, '{"installed": canary-half'), code: 'client_unreadable' },
  { name: 'no such file', line: (desk) => ({ options: { client: join(desk.folder, 'none.json') } }), code: 'client_unreadable' },
  { name: 'no such client secret', line: () => ({ options: { 'client-secret': 'none' } }), code: 'secret_unreadable' },
  { name: 'no client at all', line: () => ({}), code: 'client_missing' },
  { name: 'two clients', line: (desk) => withClient(desk, { options: { 'client-secret': 'x' } }), code: 'option_invalid' },
  { name: 'a time-out that is none', line: (desk) => withClient(desk, { options: { timeout: 'soon' } }), code: 'option_invalid' },
  { name: 'no address', line: (desk) => withClient(desk, { words: [] }), code: 'address_missing' },
  {
    name: 'an address that is not in the config',
    line: (desk) => withClient(desk, { words: ['who@example.com'] }),
    code: 'mailbox_unknown',
  },
  { name: 'a delegation', line: (desk) => withClient(desk, { words: ['robot@example.com'] }), code: 'grant_without_consent' },
  { name: 'a service account key', line: (desk) => withClient(desk, { words: ['keyed@example.com'] }), code: 'grant_without_consent' },
  {
    name: 'no project',
    line: (desk) => withClient(desk, { env: { MAILGRANT_GOOGLE_URL: desk.google.url } }),
    code: 'project_missing',
  },
  {
    name: 'no credentials of the operator',
    line: (desk) => {
      desk.google.faults.script({ on: 'identity', status: 404 });
      return withClient(desk);
    },
    code: 'identity_refused',
  },
  {
    name: 'an empty paste',
    line: (desk) => withClient(desk, { options: { 'no-browser': true }, terminal: { ask: async () => '' } }),
    code: 'redirect_unreadable',
  },
  {
    name: 'a paste of something else',
    line: (desk) => withClient(desk, { options: { 'no-browser': true }, terminal: { ask: async () => '4/0canary-code' } }),
    code: 'redirect_unreadable',
  },
];

function beforeReturning(desk: Desk, ...faults: Parameters<Desk['google']['faults']['script']>): NonNullable<Line['person']> {
  return async (url) => {
    const location = await consentAt(url);
    desk.google.faults.script(...faults);
    await desk.comeBack(location);
  };
}

for (const { name, line, code, unstored = null, after } of rows)
  test(`${name}: ${code}${unstored ? `, the grant is ${unstored}` : ''}, and nothing is written`, async () => {
    await using desk = await startDesk();
    await after?.(desk);
    const secrets = [SECRET_ID, 'mailgrant-sales', 'mailgrant-unverified-example-com'];
    const look = async () => [
      await Promise.all(secrets.map((secret) => desk.versions(secret))),
      await desk.mints(),
      await desk.mints(SALES),
    ];
    const before = await look();
    const { ok, data, text } = await desk.run('authorize', line?.(desk) ?? {});
    assert.deepEqual([ok, data['ok'], data['code'], data['unstored']], [false, false, code, unstored]);
    assert.match(text, /\nFix: \S/);
    assert.deepEqual(await look(), before);
    assert.doesNotMatch(desk.shown(), SECRET_WORD);
  });

test('a grant that is revoked is gone at Google, one that is kept lives', async () => {
  await using desk = await startDesk();
  await desk.run('authorize', withClient(desk, { person: consents({ account: 'me@example.net' }) }));
  assert.equal(desk.google.oauth.consented(INSTALLED_ID, 'me@example.net'), false);
  await storedSales(desk);
  await desk.run('authorize', withClient(desk, { person: consents({ account: SALES }) }));
  assert.equal(desk.google.oauth.consented(INSTALLED_ID, SALES), true);
});

test('a page that sends an answer of its own does not end the wait; a file with a byte order mark is read', async () => {
  await using desk = await startDesk();
  writeFileSync(desk.clientFile, `\uFEFF${JSON.stringify(desk.google.clients.file('installed'))}`);
  const person: Line['person'] = async (url) => {
    const location = await consentAt(url);
    const back = new URL(location);
    for (const query of ['?code=forged', '?error=access_denied', '?code=forged&state=x'])
      await fetch(`${back.origin}${back.pathname}${query}`);
    await desk.comeBack(location);
  };
  const { data } = await desk.run('authorize', withClient(desk, { person }));
  assert.deepEqual([data['ok'], await desk.mints()], [true, 'minted']);
});

test('the redirect address of a Web client is kept with the grant, so that rotate needs no client file', async () => {
  await using desk = await startDesk();
  const web = desk.google.clients.file('web')['web'] as { client_id: string };
  const redirect = `http://127.0.0.1:${await freePort(0)}/back`;
  desk.google.clients.allow(web.client_id, redirect);
  const file = write(desk, desk.google.clients.file('web'));
  assert.equal((await desk.run('authorize', file)).data['ok'], true);
  assert.equal((await desk.payload(1))['redirect_uri'], redirect);
  const { data } = await desk.run('rotate', {});
  assert.deepEqual([data['ok'], data['disabled'], (await desk.payload(2))['redirect_uri']], [true, [1], redirect]);
});

test('two operators make the secret at once: both grants are stored', async () => {
  await using desk = await startDesk();
  const conflict = { on: 'secret', status: 409, body: { error: { code: 409, status: 'ALREADY_EXISTS', message: 'it is there' } } } as const;
  const person: Line['person'] = async (url) => {
    const location = await consentAt(url);
    desk.google.faults.script(conflict);
    desk.google.storeSecret('laptop', SECRET_ID, '{}'); // the other one was quicker
    await desk.comeBack(location);
  };
  assert.equal((await desk.run('authorize', withClient(desk, { person }))).data['ok'], true);
});

for (const removal of ['allowed', 'refused'] as const)
  test(`a secret whose making was answered only the second time, and that takes no version: its removal is ${removal}`, async () => {
    await using desk = await startDesk();
    const person: Line['person'] = async (url) => {
      const location = await consentAt(url);
      const denied = { on: 'secret', answer: 'permission_denied' } as const;
      desk.google.faults.script({ on: 'secret', reset: 'after' }, { on: 'secret' }, denied, ...(removal === 'refused' ? [denied] : []));
      await desk.comeBack(location);
    };
    const { data, text } = await desk.run('authorize', withClient(desk, { person }));
    assert.deepEqual([data['ok'], data['code']], [false, 'secret_not_writable']);
    assert.deepEqual(
      [await desk.versions(), /was made, and has no version/.test(text)],
      removal === 'allowed' ? [null, false] : [[], true],
    );
  });

for (const verb of ['authorize', 'rotate', 'revoke'] as const)
  test(`${verb} leaves a secret alone that holds another mailbox's grant`, async () => {
    await using desk = await startDesk();
    desk.google.storeSecret('laptop', SECRET_ID, JSON.stringify({ ...desk.google.oauth.enrol(SALES), address: SALES }));
    const line =
      verb === 'revoke' ? { options: { yes: true } } : withClient(desk, { person: async () => assert.fail('the person was asked') });
    const { data } = await desk.run(verb, line);
    assert.deepEqual([data['ok'], data['code'], await desk.versions()], [false, 'secret_shared', ['ENABLED']]);
    assert.equal(desk.google.oauth.consented(INSTALLED_ID, SALES), true);
  });

test('Ctrl-C after Allow ends the grant like any other that is not stored', async () => {
  await using desk = await startDesk();
  const person: Line['person'] = async (url) => {
    const location = await consentAt(url);
    desk.google.faults.script({ on: 'token' }, { on: 'token', delayMs: 300 });
    const page = desk.comeBack(location);
    while (desk.google.calls.token < 2) await new Promise((done) => setImmediate(done));
    process.emit('SIGINT');
    await page;
  };
  const { data } = await desk.run('authorize', withClient(desk, { person }));
  assert.deepEqual([data['code'], data['unstored'], await desk.versions()], ['interrupted', 'revoked', null]);
});
