/** The SMTP client against a server that nobody here wrote: Dovecot's submission service, with XOAUTH2 by introspection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSmtp, createWarmSessions } from '../../../functions/google/smtp/smtp-transport.ts';
import type { Mailbox } from '../../../functions/mail/model/config.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';
import type { SmtpServer } from '../../../functions/runtime/smtp-url.ts';
import { type Dovecot, hasDovecot, startDovecot } from '../../support/programs/dovecot.ts';
import { skipUnless } from '../../support/programs/emulators.ts';
import { CONFIG, MAILBOX } from '../../support/stack/laptop.ts';
import { letterTo } from '../../support/stack/over-smtp.ts';

const skip = skipUnless(hasDovecot(), 'dovecot (Debian: dovecot-core dovecot-submissiond)');
const mailbox: Mailbox = { ...(CONFIG.mailboxes[0] as Mailbox), via: 'smtp' };
const verdicts: Readonly<Record<string, string>> = { good: MAILBOX, other: 'ceo@example.com', broken: 'broken' };

function sender(server: SmtpServer) {
  const deadline = AbortSignal.timeout(300_000);
  const search = async (): Promise<null> => null;
  const smtp = createSmtp({
    server,
    search,
    searchSent: search,
    warm: createWarmSessions(),
    deadline,
    now: Date.now,
    pause: async () => {},
  });
  const send = (token: string, letter = letterTo()) =>
    smtp.transport(mailbox).upload(`smtp:${letter.messageId}`, letter, 0, { secret: new SecretString(token), expiresAt: 0 });
  return { send, [Symbol.dispose]: smtp.close };
}

test('Dovecot', { skip }, async (t) => {
  await using dovecot: Dovecot = await startDovecot((token) => verdicts[token] ?? 'inactive');

  await t.test('takes a good token, and letters over one connection, byte for byte', async () => {
    using at = sender(dovecot.smtp);
    const letters = [letterTo(['you@example.net', 'hidden@example.org']), letterTo(undefined, 300_000)];
    for (const letter of letters) assert.equal((await at.send('good', letter)).state, 'accepted');
    assert.deepEqual(
      dovecot.relayed.map(({ to, raw }, index) => [
        to,
        raw.subarray(-(letters[index]?.bytes.length ?? 0)).equals(letters[index]?.bytes ?? raw),
      ]),
      letters.map(({ envelope }) => [envelope.to, true]),
    );
  });

  const refusals = [
    { name: 'a token that is no longer active', token: 'old', code: 'token_refused', says: /challenge \w+/ },
    { name: "another mailbox's token", token: 'other', code: 'token_refused', says: /challenge \w+/ },
    { name: 'an introspection that fails', token: 'broken', code: 'rate_limited', says: /454/ },
  ];
  for (const { name, token, code, says } of refusals)
    await t.test(`${name} is ${code}, and nothing is relayed`, async () => {
      using at = sender(dovecot.smtp);
      const before = dovecot.relayed.length;
      await assert.rejects(at.send(token), { code, message: says });
      assert.equal(dovecot.relayed.length, before);
    });

  await t.test('with a certificate that nobody vouches for is not spoken to', async () => {
    using at = sender({ ...dovecot.smtp, ca: null });
    await assert.rejects(at.send('good'), { code: 'google_unavailable', message: /\(connect\): DEPTH_ZERO_SELF_SIGNED_CERT/ });
  });
});
