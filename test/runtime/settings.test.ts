import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { googleUrls } from '../../functions/runtime/google-urls.ts';
import { ENVIRONMENT, readSettings } from '../../functions/runtime/settings.ts';
import { CONFIG } from '../support/stack/laptop.ts';

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

test('the queue, its dead letters, the bucket and the tasks are read, and are null where nothing is said', () => {
  const { topic, deadTopic, bucket, tasks } = readSettings(VALID);
  assert.deepEqual([topic, deadTopic, bucket, tasks], [null, null, null, null]);
  const env = {
    MAILGRANT_TOPIC: 'projects/p/topics/mails',
    MAILGRANT_DEAD_TOPIC: 'projects/p/topics/dead',
    MAILGRANT_BUCKET: 'p-mails',
    MAILGRANT_TASKS: 'projects/p/locations/europe-west1/queues/later',
    MAILGRANT_TASKS_ACCOUNT: 'tasks@p.iam.gserviceaccount.com',
    MAILGRANT_PUBSUB_URL: 'http://127.0.0.1:1/',
  };
  const set = readSettings({ ...VALID, ...env });
  assert.deepEqual(
    [set.topic, set.deadTopic, set.bucket, set.tasks, set.urls.pubsub],
    [
      'projects/p/topics/mails',
      'projects/p/topics/dead',
      'p-mails',
      { queue: 'projects/p/locations/europe-west1/queues/later', account: 'tasks@p.iam.gserviceaccount.com' },
      'http://127.0.0.1:1',
    ],
  );
});

test('`delivery: queued` needs a topic only where emails are handed over', () => {
  const queued = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'config.json');
  writeFileSync(queued, JSON.stringify({ ...CONFIG, delivery: 'queued' }));
  const env = { ...VALID, MAILGRANT_CONFIG: queued };
  assert.throws(() => readSettings(env, 'queue'), { message: /MAILGRANT_TOPIC: missing/ });
  assert.equal(readSettings(env).topic, null);
  assert.equal(readSettings({ ...env, MAILGRANT_TOPIC: 'projects/p/topics/mails' }, 'queue').config.delivery, 'queued');
});

const wrong = [
  { env: { MAILGRANT_TOPIC: 'mails' }, says: [/MAILGRANT_TOPIC: expected projects/] },
  { env: { MAILGRANT_DEAD_TOPIC: 'projects/p/topics/' }, says: [/MAILGRANT_DEAD_TOPIC/] },
  { env: { MAILGRANT_BUCKET: 'gs://p-mails' }, says: [/MAILGRANT_BUCKET/] },
  {
    env: { MAILGRANT_TASKS: 'later' },
    says: [/MAILGRANT_TASKS: expected/, /MAILGRANT_TASKS_ACCOUNT: missing/, /MAILGRANT_TOPIC: missing/],
  },
  { env: { MAILGRANT_TASKS_ACCOUNT: 'tasks' }, says: [/MAILGRANT_TASKS_ACCOUNT: expected/] },
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
