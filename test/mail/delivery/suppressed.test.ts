/** What the failure of a suppressed recipient names: the fields that the caller wrote, never an address. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suppressedFailure } from '../../../functions/mail/delivery/suppressed.ts';
import { prepareEmail } from '../../../functions/mail/message/prepared-email.ts';
import { parseRawMessage, prepareRawMessage } from '../../../functions/mail/message/raw-message.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL, MAILBOX } from '../../support/stack/laptop.ts';

const CALLER = { id: 'shop', from: [MAILBOX], to: null };
const REFUSED = ['canary-1@example.net', 'canary-2@example.net'];
const suppressed = async (): Promise<ReadonlySet<string>> => new Set(REFUSED);
const { digest } = world();

const raw = (to: string[], header: string) => {
  const message = parseRawMessage(Buffer.from(`From: ${MAILBOX}\r\n${header}\r\nSubject: x\r\n\r\nx\r\n`));
  return prepareRawMessage(message, { from: null, to: to.map((address) => ({ name: '', address })) }, CALLER, CONFIG, digest);
};
const fields = (change: object) => prepareEmail({ ...MAIL, ...change }, CALLER, CONFIG, world());

const ROWS: Readonly<Record<string, readonly [ReturnType<typeof fields>, RegExp]>> = {
  'one field': [fields({ cc: 'CANARY-1@example.net' }), /^`cc` holds an address/],
  'two fields': [fields({ to: REFUSED[0], bcc: REFUSED[1] }), /^`to`, `bcc` holds an address/],
  'a raw message with an envelope': [
    raw(['you@example.net', 'canary-1@example.net'], 'To: you@example.net'),
    /^The envelope holds an address/,
  ],
  'a raw message by its Cc': [raw([], 'To: you@example.net\r\nCc: canary-1@example.net'), /^The envelope holds an address/],
};
for (const [name, [draft, says]] of Object.entries(ROWS))
  test(`a recipient that is suppressed: ${name}`, async () => {
    const failure = await suppressedFailure(draft, { suppressed });
    assert.equal(failure?.code, 'recipient_suppressed');
    assert.match(failure.message, says);
    assert.doesNotMatch(failure.message, /canary/i);
  });
