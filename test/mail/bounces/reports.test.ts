/** What a message is by its headers, whose it is, and what its body says: pure functions, row by row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { senderProof } from '../../../functions/mail/bounces/authenticity.ts';
import { kindOf } from '../../../functions/mail/bounces/bounce-kind.ts';
import { readDeliveryStatus } from '../../../functions/mail/bounces/delivery-status.ts';
import { mayJudge, readReport } from '../../../functions/mail/bounces/read-report.ts';

const results = (value: string) => [{ name: 'Authentication-Results', value }];
const PROOFS: readonly (readonly [value: string, domain: string, proof: string])[] = [
  ['mx.google.com; dkim=pass header.i=@googlemail.com header.s=2026', 'googlemail.com', 'proven'],
  ['mx.google.com; dmarc=pass (p=QUARANTINE) header.from=googlemail.com', 'googlemail.com', 'proven'],
  ['mx.google.com; dkim=pass header.i=@evil.example', 'googlemail.com', 'forged'], // signed, by somebody else
  ['mx.google.com; spf=pass smtp.helo=googlemail.com', 'googlemail.com', 'forged'], // Google signs what it sends
  ['mx.google.com; none', 'googlemail.com', 'forged'],
  ['mx.google.com; dmarc=fail header.from=example.net', 'example.net', 'forged'],
  ['mx.google.com; dkim=pass header.d=example.net; dmarc=fail header.from=example.net', 'example.net', 'proven'],
  ['mx.google.com; spf=softfail smtp.mailfrom=postmaster@example.net', 'example.net', 'forged'],
  ['mx.google.com; spf=pass smtp.helo=mx1.example.net', 'example.net', 'proven'],
  ['mx.google.com; spf=pass smtp.helo=example.net.evil.example', 'example.net', 'unproven'],
  ['mx.google.com; spf=pass smtp.helo=net', 'example.net', 'unproven'],
  ['mx.google.com; spf=none smtp.helo=mx.example.net', 'example.net', 'unproven'],
  ['mx.google.com; spf=none (dkim=pass header.i=@example.net; dmarc=pass header.from=example.net)', 'example.net', 'unproven'], // in a comment
  // In what a sender has quoted: it may hold any sign, so nothing that such a header says is believed.
  ['mx.google.com; spf=pass smtp.mailfrom="a; dkim=pass header.i=@googlemail.com"@evil.example', 'googlemail.com', 'forged'],
  ['mx.google.com; spf=pass smtp.mailfrom="a; dkim=pass header.i=@example.net"@evil.example', 'example.net', 'forged'],
  ['mx.google.com; dkim=pass header.i="a; dmarc=pass header.from=example.net"@evil.example', 'example.net', 'forged'],
  ['mx.google.com; dkim=pass header.i="a\\"; dmarc=pass header.from=example.net"@evil.example', 'example.net', 'forged'],
  [
    'mx.google.com; spf=pass (of "a)"@evil.example) smtp.mailfrom="a); dkim=pass header.i=@example.net"@evil.example',
    'example.net',
    'forged',
  ],
  ['mx.google.com; spf=pass smtp.mailfrom="a; dkim=pass header.i=@example.net', 'example.net', 'forged'],
  ['mx.google.com; spf=pass smtp.mailfrom="a smtp.helo=mx.example.net b"@evil.example', 'example.net', 'unproven'],
  ['mx.google.com; dkim=pass header.i="@example.net header.d=example.net"@evil.example', 'example.net', 'unproven'],
  ['mx.google.com; dkim=pass header.i=@example.net header.b="a/b+c"; spf=none', 'example.net', 'proven'], // as Gmail quotes signatures
  ['evil.example; dkim=pass header.i=@googlemail.com', 'googlemail.com', 'unproven'], // not Gmail's header
  ['mx.google.com.evil.example; dkim=pass header.i=@googlemail.com', 'googlemail.com', 'unproven'],
];
for (const [value, domain, proof] of PROOFS)
  test(`${value} for ${domain} is ${proof}`, () => assert.equal(senderProof(results(value), domain), proof));

test('only the first header counts: what the message brought stands below Gmail’s', () => {
  const [gmail, brought] = ['mx.google.com; dmarc=fail header.from=googlemail.com', 'mx.google.com; dmarc=pass header.from=googlemail.com'];
  assert.equal(senderProof([...results(gmail), ...results(brought)], 'googlemail.com'), 'forged');
  assert.equal(senderProof([], 'googlemail.com'), 'unproven');
});

const FORM = 'multipart/report; report-type=delivery-status; boundary=b';
const DAEMON = 'Mail Delivery Subsystem <mailer-daemon@googlemail.com>';
const HEADERS: readonly (readonly [name: string, headers: Readonly<Record<string, string>>, kind: string | null])[] = [
  ['a failure', { 'Content-Type': FORM, From: DAEMON, 'X-Failed-Recipients': 'a@example.net' }, 'failed'],
  [
    'its parameters in another order',
    { 'Content-Type': 'Multipart/Report; boundary="b"; REPORT-TYPE="delivery-status"', From: DAEMON },
    'unknown',
  ],
  [
    'Gmail’s delay',
    { 'Content-Type': FORM, From: DAEMON, Subject: 'Delivery Status Notification (Delay)', 'X-Failed-Recipients': 'a@example.net' },
    'delayed',
  ],
  [
    'an older server without the form',
    { 'Content-Type': 'text/plain', From: 'MAILER-DAEMON@example.net', 'X-Failed-Recipients': 'a@example.net' },
    'failed',
  ],
  [
    'the same by nobody in particular',
    { 'Content-Type': 'text/plain', From: 'boss@example.net', 'X-Failed-Recipients': 'a@example.net' },
    null,
  ],
  ['a read receipt', { 'Content-Type': 'multipart/report; report-type=disposition-notification; boundary=b', From: DAEMON }, null],
  [
    'a complaint',
    { 'Content-Type': 'multipart/report; report-type=feedback-report; boundary=b', From: DAEMON, 'X-Failed-Recipients': 'a@example.net' },
    null,
  ],
  ['out of office', { 'Content-Type': 'text/plain', From: 'a@example.net', 'Auto-Submitted': 'auto-replied (vacation)' }, 'auto_reply'],
  ['a newsletter', { 'Content-Type': 'text/html', From: 'a@example.net' }, null],
  ['nothing', {}, null],
];
for (const [name, headers, kind] of HEADERS)
  test(`${name}: ${kind ?? 'no report'}`, () => {
    const read = readReport(Object.entries(headers).map(([header, value]) => ({ name: header, value })));
    assert.equal(typeof read === 'string' || read === null ? read : read.kind, kind);
  });

test('a report of two senders, or of none, is forged', () => {
  const form = { name: 'Content-Type', value: FORM };
  for (const from of [[DAEMON, 'x@example.net'], [], ['Undisclosed']])
    assert.equal((readReport([form, ...from.map((value) => ({ name: 'From', value }))]) as { proof: string }).proof, 'forged');
});

test('only Google, or the domain of the recipient, may have it suppressed', () => {
  const rows: [string, 'proven' | 'unproven', string, boolean][] = [
    ['googlemail.com', 'proven', 'a@example.net', true],
    ['googlemail.com', 'unproven', 'a@example.net', false],
    ['mx.example.net', 'proven', 'a@example.net', true],
    ['evil.example', 'proven', 'a@example.net', false],
    ['xample.net', 'proven', 'a@example.net', false],
    ['co.uk', 'proven', 'a@example.co.uk', false], // proven by a signature of any domain below
    ['example.net', 'proven', 'a@mx.example.net', false],
    ['example.co.uk', 'proven', 'a@example.co.uk', true],
  ];
  for (const [domain, proof, recipient, may] of rows) assert.equal(mayJudge({ proof, domain }, recipient), may, `${domain} ${proof}`);
});

const KINDS: readonly (readonly [action: string, status: string | null, kind: string | null])[] = [
  ['failed', '5.1.1', 'Permanent NoEmail'],
  ['failed', '5.1.10', 'Permanent NoEmail'],
  ['failed', '5.1.2', 'Permanent General'],
  ['failed', '5.4.1', 'Permanent General'],
  ['failed', '5.2.2', 'Transient MailboxFull'],
  ['failed', '4.2.2', 'Transient MailboxFull'],
  ['failed', '5.3.4', 'Transient MessageTooLarge'],
  ['failed', '5.7.1', 'Transient ContentRejected'],
  ['failed', '4.7.0', 'Transient General'],
  ['failed', '5.4.7', 'Transient General'],
  ['failed', null, 'Undetermined Undetermined'],
  ['delayed', '4.4.1', 'delayed'],
  ['delivered', '2.0.0', null],
  ['relayed', '2.0.0', null],
  ['expanded', '2.0.0', null],
];
for (const [action, status, kind] of KINDS)
  test(`${action} ${status} is ${kind}`, () => {
    const found = kindOf(action, status);
    assert.equal(found !== null && typeof found === 'object' ? `${found.type} ${found.subType}` : found, kind);
  });

const ID = '0197a3c2-1f5e-7000-8000-000000000000';
const message = (status: string, returned: string, headers = ''): string =>
  [
    `Content-Type: multipart/report; report-type=delivery-status;\n boundary="a b"\n`,
    '--a b\nContent-Type: text/plain\n\nwords',
    `--a b\nContent-Type: message/delivery-status\n${headers}\n${status}`,
    `--a b\n${returned}`,
    '--a b--\n',
  ].join('\n');
const RETURNED = `Content-Type: text/rfc822-headers\n\nX-Mailgrant-Id: ${ID}\nMessage-ID: <${ID}@example.com>\n`;
const FIELDS =
  'Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822;A@Example.net\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;\n 550 5.1.1 no such user\n';

test('a body names recipient, status by the server’s own words, and our id', () =>
  assert.deepEqual(readDeliveryStatus(message(FIELDS, RETURNED)), {
    recipients: [{ recipient: 'a@example.net', action: 'failed', status: '5.1.1' }],
    emailId: ID,
    messageId: `${ID}@example.com`,
  }));

test('several recipients, whom the email was for before it was passed on, and a group that says nothing', () => {
  const more = `${FIELDS}\nOriginal-Recipient: rfc822; b@example.net\nFinal-Recipient: rfc822; other@elsewhere.example\nAction: Delayed\nStatus: 4.4.1\n\nFinal-Recipient: x400; /c=x/\nAction: failed\n`;
  assert.deepEqual(
    readDeliveryStatus(message(more, RETURNED))?.recipients.map(({ recipient, action, status }) => [recipient, action, status]),
    [
      ['a@example.net', 'failed', '5.1.1'],
      ['b@example.net', 'delayed', '4.4.1'],
    ],
  );
});

test('a body in base64 or quoted-printable reads the same', () => {
  const plain = readDeliveryStatus(message(FIELDS, RETURNED));
  const packed = Buffer.from(FIELDS).toString('base64');
  assert.deepEqual(readDeliveryStatus(message(packed, RETURNED, 'Content-Transfer-Encoding: base64\n')), plain);
  const quoted = FIELDS.replace('Status', 'St=61tus');
  assert.deepEqual(readDeliveryStatus(message(quoted, RETURNED, 'Content-Transfer-Encoding: quoted-printable\n')), plain);
});

test('a soft line break of quoted-printable keeps the blank before it', () => {
  const quoted = FIELDS.replace('550 5.1.1 no', '550 =\n5.1.1 no');
  assert.equal(
    readDeliveryStatus(message(quoted, RETURNED, 'Content-Transfer-Encoding: quoted-printable\n'))?.recipients[0]?.status,
    '5.1.1',
  );
});

test('the time that a text takes grows with its length alone', () => {
  const long = 1_000_000; // with its square this takes ten minutes
  const blanks = message(`${' '.repeat(long)}x`, RETURNED, 'Content-Transfer-Encoding: quoted-printable\n');
  assert.deepEqual(readDeliveryStatus(blanks)?.recipients, []);
  assert.equal(senderProof(results(`mx.google.com; spf=pass ${'a'.repeat(long)}`), 'example.net'), 'unproven');
});

test('no text makes the reader throw, hang or find what is not there', () => {
  let state = 7;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
  const whole = message(FIELDS, RETURNED);
  for (let round = 0; round < 2_000; round++) {
    const at = random(whole.length);
    const bits = ['', '\n', '\r', '--a b', '--a b--', '\0', ';', '<', '=', ' ', 'Content-Type: multipart/mixed; boundary="a b"\n'];
    const changed = whole.slice(0, at) + bits[random(bits.length)] + whole.slice(at + random(40));
    const read = readDeliveryStatus(changed);
    for (const { recipient, action } of read?.recipients ?? []) assert.ok(recipient.includes('@') && action !== '');
  }
  for (const text of ['', '\n', 'x', `Content-Type: multipart/report; boundary=b\n\n${'--b\n'.repeat(100_000)}`, '('.repeat(100_000)])
    assert.equal(readDeliveryStatus(text)?.recipients.length ?? 0, 0);
});
