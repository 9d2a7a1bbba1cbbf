import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { HmacForm, Hook } from '../../functions/mail/model/route.ts';
import { SecretString } from '../../functions/mail/model/secret.ts';
import type { Signed } from '../../functions/verify/proof/scheme.ts';
import { SCHEMES } from '../../functions/verify/schemes/table.ts';
import { isProven, proofOf, secretsIn } from '../../functions/verify/verify.ts';
import { hookOf, NOW, requestOf, SECOND, SIGNED_CASES } from './schemes.ts';

const BODY = '{"id":"evt_1","text":"canary-body grüße"}';

async function accepted(signed: Signed, hook: Hook, ...secrets: string[]): Promise<boolean> {
  const proof = proofOf(signed, hook);
  return proof !== null && isProven(proof, secrets);
}

for (const { name, hook, secret, other, needs, timed, sign } of SIGNED_CASES) {
  const ask = async (headers: Record<string, string | string[]>, body: string | Buffer = BODY, ...secrets: string[]): Promise<boolean> =>
    accepted(requestOf(headers, body), hook, ...(secrets.length > 0 ? secrets : [secret]));

  test(`${name}: a genuine request is accepted`, async () => assert.equal(await ask(await sign(BODY, secret)), true));

  test(`${name}: while a secret is rotated, both are accepted, and a third is not`, async () => {
    const third = `${secret.slice(0, -4)}${other.slice(-4)}`;
    assert.deepEqual(
      [
        await ask(await sign(BODY, secret), BODY, secret, other),
        await ask(await sign(BODY, other), BODY, secret, other),
        await ask(await sign(BODY, secret), BODY, other),
        third === other ? false : await ask(await sign(BODY, third), BODY, secret, other),
      ],
      [true, true, false, false],
    );
  });

  for (const header of needs) {
    const change = async (value: (given: string) => string | string[] | null) => {
      const headers: Record<string, string | string[]> = await sign(BODY, secret);
      const changed = value(String(headers[header]));
      if (changed === null) delete headers[header];
      else headers[header] = changed;
      return ask(headers);
    };
    const refused: readonly (readonly [string, (given: string) => string | string[] | null])[] = [
      ['left out', () => null],
      ['empty', () => ''],
      ['given twice', (given) => [given, given]],
      // A list of signatures is what that one header is: there it is no harm.
      ...(/^(webhook|svix)-signature$/.test(header) ? [] : [['joined with itself', (given: string) => `${given}, ${given}`] as const]),
      ['cut short', (given) => given.slice(0, -1)],
      ['longer', (given) => `${given}0`],
      ['something else', () => 'canary-nonsense'],
    ];
    for (const [how, value] of refused) test(`${name}: ${header} ${how} is refused`, async () => assert.equal(await change(value), false));
  }

  if (!['bearer', 'basic'].includes(name))
    for (const body of [`${BODY} `, BODY.replace('1', '2'), BODY.slice(0, -1), '', Buffer.concat([Buffer.from(BODY), Buffer.from([0xff])])])
      test(`${name}: a body that was changed to ${Buffer.byteLength(body)} bytes is refused`, async () =>
        assert.equal(await ask(await sign(BODY, secret), body), false));

  if (timed)
    for (const [age, wanted] of [
      [0, true],
      [300, true],
      [301, false],
      [-300, true],
      [-301, false],
      [86_400, false],
    ] as const)
      test(`${name}: a request ${age} s old is ${wanted ? 'accepted' : 'refused'}`, async () =>
        assert.equal(await ask(await sign(BODY, secret, SECOND - age)), wanted));
}

test('the tolerance is what the route says', async () => {
  for (const { hook, secret, timed, sign } of SIGNED_CASES.filter((one) => one.timed)) {
    const late = requestOf(await sign(BODY, secret, SECOND - 400), BODY);
    assert.deepEqual(
      [timed, await accepted(late, hook, secret), await accepted(late, { ...hook, toleranceSeconds: 600 }, secret)],
      [true, false, true],
    );
  }
});

const SLACK_BODY =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const hmac = (form: Partial<HmacForm>): Hook =>
  hookOf('hmac', { hmac: { header: 'x-mac', algorithm: 'sha256', encoding: 'hex', prefix: '', ...form } });

/** Published by the vendors, or by the RFCs of HMAC. */
const vectors: readonly { source: string; hook: Hook; secret: string; body: string; headers: Record<string, string>; second?: number }[] = [
  {
    source: 'docs.github.com, Validating webhook deliveries',
    hook: hookOf('github'),
    secret: "It's a Secret to Everybody",
    body: 'Hello, World!',
    headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
  },
  {
    source: 'docs.slack.dev, Verifying requests from Slack',
    hook: hookOf('slack'),
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    body: SLACK_BODY,
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    second: 1_531_420_618,
  },
  {
    source: 'standard-webhooks, the libraries’ own test; docs.svix.com, Verifying webhooks manually',
    hook: hookOf('standard-webhooks'),
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    body: '{"test": 2432232314}',
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    second: 1_614_265_330,
  },
  {
    source: 'docs.svix.com, Verifying webhooks manually, with the headers as Svix, Clerk and Resend name them',
    hook: hookOf('standard-webhooks'),
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    body: '{"test": 2432232314}',
    headers: {
      'svix-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'svix-timestamp': '1614265330',
      'svix-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    second: 1_614_265_330,
  },
  {
    source: 'RFC 7617, section 2',
    hook: hookOf('basic'),
    secret: 'Aladdin:open sesame',
    body: '',
    headers: { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' },
  },
  {
    source: 'RFC 2202, HMAC-SHA-1 case 2',
    hook: hmac({ algorithm: 'sha1' }),
    secret: 'Jefe',
    body: 'what do ya want for nothing?',
    headers: { 'x-mac': 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79' },
  },
  {
    source: 'RFC 4231, HMAC-SHA-256 case 2',
    hook: hmac({}),
    secret: 'Jefe',
    body: 'what do ya want for nothing?',
    headers: { 'x-mac': '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843' },
  },
  {
    source: 'RFC 4231, HMAC-SHA-512 case 2',
    hook: hmac({ algorithm: 'sha512' }),
    secret: 'Jefe',
    body: 'what do ya want for nothing?',
    headers: {
      'x-mac':
        '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    },
  },
];
for (const { source, hook, secret, body, headers, second = SECOND } of vectors)
  test(`the published vector of ${source} is accepted, and refused under another secret`, async () => {
    const signed = requestOf(headers, body, second * 1_000);
    assert.deepEqual([await accepted(signed, hook, secret), await accepted(signed, hook, `${secret.slice(0, -4)}AAAA`)], [true, false]);
  });

const mac = (secret: string, text: string): string => createHmac('sha256', secret).update(text).digest('hex');

test('stripe: one v1 per secret while it is rotated; v0 alone proves nothing; two timestamps are refused', async () => {
  const good = mac('s', `${SECOND}.${BODY}`);
  const bad = mac('x', `${SECOND}.${BODY}`);
  for (const [header, wanted] of [
    [`t=${SECOND},v1=${bad},v1=${good}`, true],
    [`t=${SECOND},v1=${good},v1=${bad},v0=${bad}`, true],
    [`v1=${good},t=${SECOND}`, true],
    [`t=${SECOND},v1=${bad}`, false],
    [`t=${SECOND},v0=${good}`, false],
    [`t=${SECOND},t=${SECOND - 1},v1=${good}`, false],
    [`t=${SECOND}`, false],
    [`v1=${good}`, false],
    [`t=x,v1=${good}`, false],
    [`t=${SECOND}${`,v1=${bad}`.repeat(8)},v1=${good}`, false],
  ] as const)
    assert.equal(await accepted(requestOf({ 'stripe-signature': header }, BODY), hookOf('stripe'), 's'), wanted, header.slice(0, 30));
});

test('standard-webhooks: one of several signatures is enough; other versions prove nothing', async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'standard-webhooks');
  const headers = (await scheme?.sign(BODY, scheme.secret)) ?? {};
  const good = headers['webhook-signature'] ?? '';
  for (const [signature, wanted] of [
    [`v1,${'A'.repeat(43)}= ${good}`, true],
    [`${good} v1a,abc`, true],
    [good.replace('v1,', 'v1a,'), false],
    [good.replace('v1,', 'v2,'), false],
    ['v1,', false],
    ['v1', false],
    [`${'v1,x '.repeat(8)}${good}`, false],
  ] as const)
    assert.equal(
      await accepted(requestOf({ ...headers, 'webhook-signature': signature }, BODY), hookOf('standard-webhooks'), scheme?.secret ?? ''),
      wanted,
    );
});

test('standard-webhooks: a secret is base64 with or without whsec_, also as Supabase shows it; anything else is the operator’s trouble', async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'standard-webhooks');
  const secret = scheme?.secret ?? '';
  const signed = requestOf((await scheme?.sign(BODY, secret)) ?? {}, BODY);
  for (const form of [secret, secret.slice(6), `v1,${secret}`])
    assert.equal(await accepted(signed, hookOf('standard-webhooks'), form), true);
  for (const form of ['whsec_', 'whsec_canary not base64!', '§'])
    await assert.rejects(accepted(signed, hookOf('standard-webhooks'), form), { code: 'hook_secret_unusable' });
});

test('standard-webhooks: bytes that are no text are refused, since the library would sign them all alike', async () => {
  const scheme = SIGNED_CASES.find(({ name }) => name === 'standard-webhooks');
  const headers = (await scheme?.sign('\ufffd', scheme.secret)) ?? {};
  assert.deepEqual(
    [
      await accepted(requestOf(headers, '\ufffd'), hookOf('standard-webhooks'), scheme?.secret ?? ''),
      await accepted(requestOf(headers, Buffer.from([0xff])), hookOf('standard-webhooks'), scheme?.secret ?? ''),
    ],
    [true, false],
  );
});

for (const { name, hook, secret, eventId, sign } of SIGNED_CASES)
  test(`${name}: the id of an event is ${eventId === null ? 'not covered by the signature, and not told' : 'told'}`, async () =>
    assert.equal(proofOf(requestOf(await sign(BODY, secret), BODY), hook)?.eventId ?? null, eventId));

// google-oidc is signed by Google alone: test/trigger/hooks/webhook-handler.test.ts has its tokens.
test('every scheme of the table has a signed request here, and a row in docs/webhooks.md', () => {
  const rows = /\| `verify` \|.*\n\|[-|]+\n((?:\|.*\n)+)/.exec(readFileSync('docs/webhooks.md', 'utf8'))?.[1] ?? '';
  const documented = [...rows.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  const signed = Object.entries(SCHEMES).filter(([, { identity }]) => !identity);
  assert.deepEqual(documented.toSorted(), Object.keys(SCHEMES).toSorted());
  assert.deepEqual([...new Set(SIGNED_CASES.map(({ hook }) => hook.verify))].toSorted(), signed.map(([name]) => name).toSorted());
});

test('basic: letters of base64 that a lenient decoder would skip are refused', async () => {
  const good = Buffer.from('u:canary-p').toString('base64');
  for (const [given, wanted] of [
    [`Basic ${good}`, true],
    [`basic  ${good}`, true],
    [`Basic ${good.slice(0, 4)} ${good.slice(4)}`, false],
    [`Basic ${good}====`, false],
    [`Basic *${good}`, false],
    ['Basic u:canary-p', false],
    ['Basic', false],
  ] as const)
    assert.equal(await accepted(requestOf({ authorization: given }, BODY), hookOf('basic'), 'u:canary-p'), wanted, given);
});

test('google-oidc has no proof of this kind', () =>
  assert.equal(proofOf(requestOf({ authorization: 'Bearer x.y.z' }, BODY, NOW), hookOf('google-oidc')), null));

for (const [name, payload, wanted] of [
  ['one secret', 'one', ['one']],
  ['a final line end', 'one\n', ['one']],
  ['two', 'one\ntwo', ['one', 'two']],
  ['two in the manner of Windows', 'one\r\ntwo\r\n', ['one', 'two']],
  ['blanks, which belong to it', ' one ', [' one ']],
] as const)
  test(`a payload of ${name} is taken apart`, () => assert.deepEqual(secretsIn(new SecretString(payload)), wanted));

for (const payload of ['', '\n\n', 'one\ntwo\nthree'])
  test(`a payload of ${payload.length} characters that holds no or too many secrets is the operator's trouble`, () =>
    assert.throws(() => secretsIn(new SecretString(payload)), { code: 'hook_secret_unusable' }));
