/** Whose quota an operator's calls are counted on: a person's credentials name no project by themselves. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loginOf } from '../../../functions/cli/common/google-clients.ts';
import { ownLogin } from '../../../functions/cli/common/own-login.ts';
import type { Call } from '../../../functions/google/http/exchange.ts';
import { callGoogle } from '../../../functions/google/http/google-client.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import { settingsFor } from '../../support/stack/laptop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const PERSON = { type: 'authorized_user', client_id: 'id', client_secret: 'canary-client', refresh_token: '1//0canary' };
const key = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const ROBOT = { type: 'service_account', client_email: 'ci@x.iam.gserviceaccount.com', private_key: key.privateKey };

const rows: readonly { readonly who: string; readonly credentials: object; readonly counted: string | undefined }[] = [
  { who: 'a person', credentials: PERSON, counted: 'acme' },
  { who: 'a person who names a project', credentials: { ...PERSON, quota_project_id: 'own' }, counted: 'own' },
  { who: 'a service account, which has a project', credentials: ROBOT, counted: undefined },
];
for (const { who, credentials, counted } of rows)
  test(`the calls of ${who} are counted on ${counted ?? 'no other'}`, async () => {
    const file = join(folder, 'adc.json');
    writeFileSync(file, JSON.stringify(credentials));
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
    try {
      assert.equal((await ownLogin('acme')).quotaProjectId, counted);
    } finally {
      delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
    }
  });

test('every way in which a command calls Google says the project', async () => {
  const calls: Call[] = [];
  const token = async () => ({ secret: new SecretString('ya29.canary-token'), expiresAt: Date.now() + 60_000, quotaProject: 'acme' });
  const exchange = async (call: Call) => {
    calls.push(call);
    return { status: 200, body: Buffer.from('[]'), headers: {} } as never;
  };
  const settings = settingsFor('http://127.0.0.1:1');
  const client = await loginOf({ settings, identity: token }); // what Google's generated clients are given
  assert.equal((await client.getRequestHeaders()).get('x-goog-user-project'), 'acme');
  await callGoogle(
    { service: 'Pub/Sub', baseUrl: 'https://pubsub.googleapis.com', exchange, token, unavailable: 'google_unavailable' },
    { method: 'GET', path: '/v1/x', timeoutMs: 1_000 },
  );
  assert.deepEqual(
    calls.map(({ headers }) => headers?.['x-goog-user-project']),
    ['acme'],
  );
});
