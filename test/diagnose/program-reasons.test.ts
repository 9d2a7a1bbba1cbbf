/** How a failure comes about, and which page says so, are those of the program that the text shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOGUE } from '../../functions/diagnose/catalogue/catalogue.ts';
import { aboutCause, CAUSE_LABELS } from '../../functions/diagnose/causes/causes.ts';
import { pageFor, reasonsFor } from '../../functions/diagnose/causes/program-reasons.ts';
import { explain } from '../../functions/diagnose/explain.ts';

const OURS = ['as usual'];
const reasons: readonly (readonly [row: string, text: string, own: boolean])[] = [
  ['smtp-535-credentials-empty', 'django/core/mail/backends/smtp.py', true],
  ['smtp-535-credentials-empty', 'Traceback smtplib', false],
  ['smtp-530-credentials-empty', 'postfix/smtp[1]:', true],
  ['smtp-530-password', 'System.Net.Mail.SmtpException', true],
  ['smtp-530-password', 'Mailer Error: PHPMailer', false],
  ['smtp-530-password', '', false],
];
for (const [row, text, own] of reasons)
  test(`${row} has ${own ? 'a reason of its own' : 'the usual reason'} in: ${text || 'nothing'}`, () =>
    assert.equal(reasonsFor(row, text, OURS) !== OURS, own));

test('a page is that of the narrowest program that has one', () => {
  assert.match(pageFor('Illuminate\\Mail\\Mailer') ?? '', /laravel\.com/);
  assert.match(pageFor('swift_transport') ?? '', /symfony\.com/);
  assert.match(pageFor('Traceback smtplib') ?? '', /docs\.python\.org/);
  assert.equal(pageFor('535 refused'), null);
});

test("no page about nodemailer under an error of another program's", () => {
  for (const text of ['ssl.SSLError: WRONG_VERSION_NUMBER smtplib 587', 'Illuminate\\Mail\\Mailer: 127.0.0.1:2525 (Connection refused)'])
    assert.doesNotMatch(explain(text).matches[0]?.source ?? 'nodemailer', /nodemailer/);
  assert.match(explain("node_modules/nodemailer: code: 'SELF_SIGNED_CERT_IN_CHAIN' smtp.gmail.com").matches[0]?.source ?? '', /nodemailer/);
});

/** A message is an email. What stays: the names of things (a mail server, a library), of products, and what stands in code. */
const MESSAGE = /(?<![\w./@$-])mails?\b(?! (?:server|shield|backend|library|URL)\b)(?![.\w/=-]\w)/i;
const JARGON = /\bspeaks? for\b|\bmint(?:s|ed)?\b|\bto the letter\b|\binvocation\b|`watch`|\bTerraform (?:grants|enables|names)\b/i;

test('every text says email, and none of the words that a reader cannot know', () => {
  const texts = [
    ...CAUSE_LABELS.flatMap((cause) => [aboutCause(cause).summary, aboutCause(cause).avoided, ...aboutCause(cause).fix]),
    ...CATALOGUE.flatMap(({ said, likely, summary = '', usual = [], fix = [], wait = '' }) => [
      said,
      wait,
      summary,
      ...likely,
      ...usual,
      ...fix,
    ]),
  ].map((text) => text.replace(/`[^`]*`/g, ''));
  assert.deepEqual(
    texts.filter((text) => MESSAGE.test(text) || JARGON.test(text)),
    [],
  );
});
