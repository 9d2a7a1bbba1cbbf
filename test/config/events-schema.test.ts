import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../functions/config/schema.ts';
import { EVENT_TYPES } from '../../functions/mail/model/email-event.ts';

const MAILBOXES = { 'notices@example.com': { secret: 'grant' } };
const check = (target: object, more: object = {}) => checkConfig({ mailboxes: MAILBOXES, events: { app: target }, ...more });
const URL = 'https://app.example.com/events?a=b';

test('a target by its least: every type, no addresses', () => {
  const { config, problems } = check({ url: URL, secret: 'events' });
  assert.deepEqual(problems, []);
  assert.deepEqual(config?.events, [{ name: 'app', url: URL, secret: 'events', types: EVENT_TYPES, addresses: false }]);
  assert.equal(check({ topic: 'email-events' }).problems.length, 0);
  assert.equal(checkConfig({ mailboxes: MAILBOXES }).config?.events, undefined);
});

const wrong: readonly { name: string; target: object; at: string; more?: object }[] = [
  { name: 'neither url nor topic', target: {}, at: 'events.app.url' },
  { name: 'both', target: { url: URL, secret: 's', topic: 'email-events' }, at: 'events.app.url' },
  { name: 'no secret', target: { url: URL }, at: 'events.app.secret' },
  { name: 'http', target: { url: 'http://app.example.com/', secret: 's' }, at: 'events.app.url' },
  { name: 'an IP address', target: { url: 'https://192.0.2.1/', secret: 's' }, at: 'events.app.url' },
  { name: 'IPv6', target: { url: 'https://[::1]/', secret: 's' }, at: 'events.app.url' },
  { name: 'an address in another notation', target: { url: 'https://0x7f.1/', secret: 's' }, at: 'events.app.url' },
  { name: 'a name without a dot', target: { url: 'https://metadata/', secret: 's' }, at: 'events.app.url' },
  { name: 'credentials', target: { url: 'https://u:p@app.example.com/', secret: 's' }, at: 'events.app.url' },
  { name: 'a type that is none', target: { url: URL, secret: 's', types: ['email.opened'] }, at: 'events.app.types.0' },
  { name: 'no type', target: { url: URL, secret: 's', types: [] }, at: 'events.app.types' },
  { name: 'addresses of hashes', target: { url: URL, secret: 's', addresses: true }, at: 'events.app.addresses' },
  { name: 'the secret of a mailbox', target: { url: URL, secret: 'grant' }, at: 'events.app.secret' },
  { name: 'an unknown setting', target: { topic: 'email-events', verify: 'x' }, at: 'events.app.verify' },
];
for (const { name, target, at, more } of wrong)
  test(`refused with its place: ${name}`, () => {
    const { problems } = check(target, more);
    assert.ok(
      problems.some((one) => one.startsWith(`${at}:`)),
      problems.join('; '),
    );
  });
