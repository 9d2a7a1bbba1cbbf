import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSameContent, normalised } from '../../../functions/cli/smtp/smtp-same-content.ts';

/** As three composers write a message with two parts; `drawn` is what they draw anew each time. */
const composers: Record<string, (drawn: string, body: string) => string[]> = {
  Python: (drawn, body) => [
    `Content-Type: multipart/alternative; boundary="===============${drawn}=="`,
    'MIME-Version: 1.0',
    'Subject: canary-subject',
    `Message-ID: <${drawn}@host>`,
    `Date: Sat, 28 Nov 2026 10:00:${drawn.slice(0, 2)} -0000`,
    '',
    `--===============${drawn}==`,
    '',
    body,
    `--===============${drawn}==--`,
    '',
  ],
  'Action Mailer': (drawn, body) => [
    `Date: Sat, 28 Nov 2026 10:00:${drawn.slice(0, 2)} +0000`,
    `Message-ID: <${drawn}@host.mail>`,
    'Subject: canary-subject',
    'Content-Type: multipart/mixed;',
    ` boundary="--==_mimepart_${drawn}";`,
    ' charset=UTF-8',
    '',
    '',
    `----==_mimepart_${drawn}`,
    `Content-Type: multipart/alternative;`,
    ` boundary="--==_mimepart_${drawn}2"`,
    '',
    `----==_mimepart_${drawn}2`,
    '',
    body,
    `----==_mimepart_${drawn}2--`,
    `----==_mimepart_${drawn}--`,
    '',
  ],
  Symfony: (drawn, body) => [
    'Subject: canary-subject',
    'Message-ID:',
    ` <${drawn}@example.com>`,
    'MIME-Version: 1.0',
    `Date: Sat, 28 Nov 2026 10:00:${drawn.slice(0, 2)} +0000`,
    `Content-Type: multipart/alternative; boundary=${drawn}`,
    '',
    `--${drawn}`,
    '',
    body,
    `--${drawn}--`,
    '',
  ],
};

for (const [name, compose] of Object.entries(composers))
  test(`${name} composes the same email anew: the same bytes; another text: other bytes`, () => {
    const bytes = (drawn: string, body: string): string => normalised(Buffer.from(compose(drawn, body).join('\r\n'))).toString();
    assert.equal(bytes('11aB', 'canary-body'), bytes('59xY', 'canary-body'));
    assert.notEqual(bytes('11aB', 'canary-body'), bytes('11aB', 'canary-other'));
    assert.doesNotMatch(bytes('11aB', 'canary-body'), /^(message-id|date)|11aB/im);
    assert.match(bytes('11aB', 'canary-body'), /\r\n--=_0_[0-9a-f]{48}\r\n[\s\S]*canary-body\r\n--=_\d_[0-9a-f]{48}--\r\n/);
  });

test('a Content-ID that nothing refers to is derived, one that shows a picture stays', () => {
  const bytes = (id: string, html: string, encoding = 'quoted-printable'): string =>
    normalised(
      Buffer.from(
        `Subject: x\r\n\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${html}\r\n\r\nContent-Type: image/png\r\nContent-ID: <${id}>\r\n\r\nAAAA\r\n`,
      ),
    ).toString();
  assert.equal(bytes('a1@host', '<p>'), bytes('b2@host', '<p>'));
  for (const [html, encoding] of [
    ['<img src=3D"cid:a1@host">', 'quoted-printable'],
    ['<img src=3D"cid:a=\r\n1@host">', 'quoted-printable'],
    ['<img src="CID:a1%40host">', '8bit'],
    ['PGltZyBzcmM9ImNpZDphMUBob3N0Ij4=', 'base64'],
  ] as const)
    assert.match(bytes('a1@host', html, encoding), /^Content-ID: <a1@host>\r$/m);
});

test('what is no boundary stays as it is', () => {
  const text = 'Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--bb\r\nDate: b\r\n-- \r\nb--b\r\n--b--\r\n';
  const [, body = ''] = normalised(Buffer.from(text))
    .toString()
    .split(/\r\n\r\n--=_0_[0-9a-f]{48}\r\n/);
  assert.match(body, /^\r\n--bb\r\nDate: b\r\n-- \r\nb--b\r\n--=_0_[0-9a-f]{48}--\r\n$/);
});

test('the same content has one key within the window, and another after it, for others, or without a window', () => {
  let now = 0;
  const key = createSameContent(60_000, () => now);
  const [message, envelope] = [Buffer.from('Subject: x\r\n\r\ny'), { from: 'a@example.com', to: ['b@example.com'] }];
  const first = key(message, envelope);
  now = 59_999;
  assert.equal(key(message, envelope), first);
  assert.notEqual(key(message, { ...envelope, to: ['c@example.com'] }), first);
  now = 60_000;
  assert.notEqual(key(message, envelope), first);
  assert.equal(createSameContent(0, () => now)(message, envelope), null);
});
