/** The fake of smtp.gmail.com, held against nodemailer's own transport: what works with Gmail must work here. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { OAuth2Client } from 'google-auth-library';
import { gmail } from 'googleapis/build/src/apis/gmail/index.js';
import { createTransport, type SMTPTransportOptions } from 'nodemailer';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { SCOPE_MAIL, SCOPE_SEND } from '../../../functions/mail/model/scopes.ts';
import { ALIAS, MAILBOX } from '../../support/stack/laptop.ts';
import { smtpOf, tokenFrom } from '../../support/stack/over-smtp.ts';

let google: Google;
before(async () => {
  google = await startGoogle({ aliasesOf: () => [ALIAS], smtp: {} });
});
beforeEach(() => google.mails.clear());
after(() => google[Symbol.asyncDispose]());

const MAIL = {
  from: MAILBOX,
  to: 'you@example.net',
  bcc: 'hidden@example.org',
  subject: 'x',
  text: 'canary-body',
  messageId: '<m1@example.com>',
};
const own = () => ({ type: 'OAuth2' as const, user: MAILBOX, accessToken: tokenFrom(google).secret.reveal() });

async function send(auth: SMTPTransportOptions['auth'], change: Partial<typeof MAIL> & { requireTLS?: boolean; secure?: boolean } = {}) {
  const { requireTLS = true, secure = false, ...mail } = change;
  const { host, port, ca } = smtpOf(google, secure);
  const tls = { ca: ca ?? '' };
  return createTransport({
    host,
    port,
    secure,
    requireTLS: requireTLS && !secure,
    ignoreTLS: !requireTLS,
    tls,
    ...(auth && { auth }),
  }).sendMail({ ...MAIL, ...mail });
}

for (const secure of [false, true])
  test(`nodemailer sends with OAuth2 over ${secure ? 'TLS' : 'STARTTLS'}; the recipients are the envelope's`, async () => {
    const { response } = await send(own(), { secure });
    assert.match(response, /^250 2\.0\.0 OK .* - gsmtp$/);
    const [mail] = google.mails.list();
    assert.deepEqual([mail?.mailbox, mail?.recipients], [MAILBOX, ['you@example.net', 'hidden@example.org']]);
  });

test('a From that is not the account’s own is rewritten without a word, an alias is kept', async () => {
  const seen: unknown[] = [];
  for (const from of ['ceo@example.com', ALIAS]) {
    await send(own(), { from });
    seen.push(/^From: (.*)\r$/m.exec(google.mails.list()[0]?.raw.toString() ?? '')?.[1]);
  }
  assert.deepEqual(seen, [MAILBOX, ALIAS]);
});

const refusals: { name: string; auth: () => SMTPTransportOptions['auth']; code: number; says: RegExp }[] = [
  {
    name: 'a password',
    auth: () => ({ user: MAILBOX, pass: 'canary Secret1' }),
    code: 534,
    says: /5\.7\.9 Application-specific password required/,
  },
  {
    name: 'an app password',
    auth: () => ({ user: MAILBOX, pass: 'abcdefghijklmnop' }),
    code: 535,
    says: /5\.7\.8 Username and Password not accepted/,
  },
  {
    name: 'a password by LOGIN',
    auth: () => ({ user: MAILBOX, pass: 'abcdefghijklmnop', method: 'LOGIN' }),
    code: 535,
    says: /p=BadCredentials/,
  },
  { name: 'a token that is none', auth: () => ({ ...own(), accessToken: 'none' }), code: 535, says: /^535-5\.7\.8 .*\n535 5\.7\.8 / },
  {
    name: 'a token of gmail.send',
    auth: () => ({ ...own(), accessToken: tokenFrom(google, SCOPE_SEND).secret.reveal() }),
    code: 535,
    says: /5\.7\.8/,
  },
  { name: 'no sign-in', auth: () => undefined, code: 530, says: /5\.7\.0 Authentication Required/ },
];
for (const { name, auth, code, says } of refusals)
  test(`${name} is refused with ${code}, as Gmail words it`, async () => {
    await assert.rejects(send(auth()), { responseCode: code, response: says });
    assert.equal(google.mails.count(), 0);
  });

test('without TLS nobody signs in', () => assert.rejects(send(own(), { requireTLS: false }), { responseCode: 538 }));

test('a recipient that is none is refused, the others are taken', async () => {
  const { accepted, rejected } = await send(own(), { to: 'you@example.net, nobody@nowhere' });
  assert.deepEqual([accepted, rejected], [['you@example.net', 'hidden@example.org'], ['nobody@nowhere']]);
});

const searches: [q: string, found: number][] = [
  ['rfc822msgid:<m1@example.com>', 1],
  ['rfc822msgid:m1@example.com', 1],
  ['rfc822msgid:m1@example.co', 0],
  ['rfc822msgid:', 0],
  ['', 0],
];
for (const [q, found] of searches)
  test(`googleapis lists ${found} for ${JSON.stringify(q)}`, async () => {
    await send(own());
    const auth = new OAuth2Client();
    auth.setCredentials({ access_token: tokenFrom(google, SCOPE_MAIL).secret.reveal() });
    const options = { rootUrl: `${google.url}/`, retry: false };
    const { data } = await gmail({ version: 'v1', auth: auth as never }).users.messages.list({ userId: 'me', q }, options);
    assert.deepEqual([data.messages?.length ?? 0, data.resultSizeEstimate], [found, found]);
  });

test('another mailbox does not find the email, and gmail.send may not search', async () => {
  await send(own());
  const search = async (token: string) => {
    const reply = await fetch(`${google.url}/gmail/v1/users/me/messages?q=rfc822msgid:m1@example.com`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return [reply.status, ((await reply.json()) as { messages?: unknown[] }).messages?.length];
  };
  const tokens = [tokenFrom(google), tokenFrom(google, SCOPE_MAIL, 'ceo@example.com'), tokenFrom(google, SCOPE_SEND)];
  assert.deepEqual(await Promise.all(tokens.map(({ secret }) => search(secret.reveal()))), [
    [200, 1],
    [200, undefined],
    [403, undefined],
  ]);
});
