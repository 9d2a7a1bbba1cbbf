import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { compose } from '../../../functions/mail/message/compose.ts';
import { parseRequest } from '../../../functions/mail/message/email.ts';
import { resolveSender } from '../../../functions/mail/message/sender.ts';
import { CONFIG } from '../../support/stack/laptop.ts';
import { CORPUS, emailOf } from './corpus-emails.ts';

const FILE = new URL('./corpus.json', import.meta.url);
const STAMP = { id: '01234567-89ab-4cde-8f01-23456789abcd', acceptedAt: Date.UTC(2026, 10, 24, 8) };

/** Over the API, and over SMTP, where Bcc stays out of the headers. */
async function hashesOf(change: Readonly<Record<string, unknown>>): Promise<string> {
  const request = parseRequest(emailOf(change));
  const sender = resolveSender(CONFIG, request.from);
  const hashes = [];
  for (const via of ['api', 'smtp'] as const) {
    const { bytes } = await compose(request, { ...sender, mailbox: { ...sender.mailbox, via } }, STAMP);
    hashes.push(`${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`);
  }
  return hashes.join(' ');
}

// Written once with the code that wrote MIME by itself. A line may only be written anew where the email was wrong before.
const expected = JSON.parse(readFileSync(FILE, { encoding: 'utf8', flag: 'a+' }) || '{}') as Record<string, string>;
const adding = process.env['MAILGRANT_WRITE'] === '1';
for (const [name, change] of Object.entries(CORPUS))
  test(`the bytes of an email with ${name} are those of every earlier version`, async () => {
    const seen = await hashesOf(change);
    if (adding) expected[name] ??= seen;
    assert.equal(seen, expected[name]);
  });

test('every line of the corpus belongs to an email', () => {
  if (adding) writeFileSync(FILE, `${JSON.stringify(expected, null, 1)}\n`);
  assert.deepEqual(Object.keys(expected), Object.keys(CORPUS));
});
