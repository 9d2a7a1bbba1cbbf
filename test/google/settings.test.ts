import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ENVIRONMENT, readSettings } from '../../functions/google/settings.ts';
import { googleUrls } from '../../functions/google/urls.ts';
import { CONFIG } from '../support/laptop.ts';

const file = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'config.json');
writeFileSync(file, JSON.stringify(CONFIG));
const VALID = { GOOGLE_CLOUD_PROJECT: 'p', MAILGRANT_CONFIG: file };

test('by default every address is Google’s own', () => {
  const { urls, database, deadlineMs, pushAudience, config } = readSettings(VALID);
  assert.deepEqual(urls, googleUrls(''));
  for (const [name, address] of Object.entries(urls))
    assert.match(
      address,
      name === 'metadata' ? /^http:\/\/metadata\.google\.internal$/ : /^https:\/\/[a-z0-9]+\.(google|googleapis)\.com(\/|$)/,
    );
  assert.deepEqual([database, deadlineMs, pushAudience, config], ['projects/p/databases/(default)', 50_000, null, CONFIG]);
});

const servers = [
  { env: {}, smtp: { host: 'smtp.gmail.com', port: 587, secure: false, ca: null } },
  { env: { MAILGRANT_SMTP_URL: 'smtps://smtp.gmail.com' }, smtp: { host: 'smtp.gmail.com', port: 465, secure: true, ca: null } },
  { env: { MAILGRANT_SMTP_URL: 'smtps://[::1]:9/' }, smtp: { host: '::1', port: 9, secure: true, ca: null } },
  {
    env: { MAILGRANT_SMTP_URL: 'smtp://localhost:2587', MAILGRANT_SMTP_CA: file },
    smtp: { host: 'localhost', port: 2587, secure: false, ca: JSON.stringify(CONFIG) },
  },
];
for (const { env, smtp } of servers)
  test(`${JSON.stringify(env)} sends by SMTP to ${smtp.host}:${smtp.port}`, () =>
    assert.deepEqual(readSettings({ ...VALID, ...env }).smtp, smtp));

const wrong = [
  { env: { GOOGLE_CLOUD_PROJECT: undefined }, says: [/GOOGLE_CLOUD_PROJECT/] },
  { env: { MAILGRANT_CONFIG: undefined }, says: [/MAILGRANT_CONFIG/] },
  { env: { MAILGRANT_CONFIG: '/nowhere.json' }, says: [/MAILGRANT_CONFIG.*nowhere/] },
  { env: { MAILGRANT_DEADLINE_SECONDS: '0' }, says: [/MAILGRANT_DEADLINE_SECONDS/] },
  { env: { MAILGRANT_DEADLINE_SECONDS: 'soon' }, says: [/MAILGRANT_DEADLINE_SECONDS/] },
  { env: { MAILGRANT_GOOGLE_URL: 'http://example.com' }, says: [/MAILGRANT_GOOGLE_URL/] },
  { env: { MAILGRANT_GOOGLE_URL: 'http://127.0.0.1.example.com' }, says: [/MAILGRANT_GOOGLE_URL/] },
  { env: { MAILGRANT_FIRESTORE_URL: 'ftp://127.0.0.1' }, says: [/MAILGRANT_FIRESTORE_URL/] },
  { env: { MAILGRANT_SMTP_URL: 'https://smtp.gmail.com' }, says: [/MAILGRANT_SMTP_URL/] },
  { env: { MAILGRANT_SMTP_URL: 'smtp://smtp.example.com:587' }, says: [/MAILGRANT_SMTP_URL/] },
  { env: { MAILGRANT_SMTP_URL: 'smtp://smtp.gmail.com.example.com:587' }, says: [/MAILGRANT_SMTP_URL/] },
  { env: { MAILGRANT_SMTP_URL: 'smtp://user:pass@smtp.gmail.com' }, says: [/MAILGRANT_SMTP_URL/] },
  { env: { MAILGRANT_SMTP_URL: 'smtp://smtp.gmail.com/x' }, says: [/MAILGRANT_SMTP_URL/] },
  { env: { MAILGRANT_SMTP_CA: file }, says: [/MAILGRANT_SMTP_CA: only for a server on the loopback/] },
  { env: { MAILGRANT_SMTP_URL: 'smtp://127.0.0.1:2587', MAILGRANT_SMTP_CA: '/nowhere.pem' }, says: [/MAILGRANT_SMTP_CA.*nowhere/] },
  {
    env: { GOOGLE_CLOUD_PROJECT: '', MAILGRANT_CONFIG: '', MAILGRANT_DEADLINE_SECONDS: '-1' },
    says: [/GOOGLE_CLOUD_PROJECT/, /MAILGRANT_CONFIG/, /MAILGRANT_DEADLINE_SECONDS/],
  },
];
for (const { env, says } of wrong)
  test(`${JSON.stringify(env)} stops the start`, () => {
    for (const message of says) assert.throws(() => readSettings({ ...VALID, ...env }), { message });
  });

test('every variable is described', () => {
  for (const [name, meaning] of Object.entries(ENVIRONMENT)) assert.ok(meaning.length > 20, name);
});
