/** A dialogue with the sidecar. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import fc from 'fast-check';
import { authPlain } from '../support/programs/smtp-client.ts';
import { KEY, MAILBOX } from '../support/stack/laptop.ts';
import { type Door, fieldsOf, shape, textOf } from './door.ts';
import { letter, nasty } from './inputs.ts';

const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      `MAIL FROM:<${MAILBOX}>`,
      'RCPT TO:<you@example.net>',
      'DATA',
      '.',
      'RSET',
      'NOOP',
      'EHLO x',
      'QUIT',
      authPlain(KEY),
      'STARTTLS',
      'AUTH LOGIN',
      'BDAT 5',
      'VRFY x',
    ),
  },
  fc
    .tuple(fc.constantFrom('MAIL FROM:', 'RCPT TO:', 'AUTH PLAIN ', 'AUTH ', 'EHLO ', 'HELO ', 'XCLIENT ', ''), nasty)
    .map(([verb, rest]) => verb + rest),
  nasty,
);
/** A transaction that goes through, as it is or with a line changed. */
const transaction = fc
  .tuple(letter, fc.option(fc.tuple(fc.nat(7), line), { nil: null }), fc.constantFrom('\r\n.\r\n', '\n.\n', '\r\n.\n', '\n.\r\n', '\r.\r'))
  .map(([message, change, end]) => {
    const lines = [
      'EHLO x',
      authPlain(KEY),
      `MAIL FROM:<${MAILBOX}>`,
      'RCPT TO:<you@example.net>',
      'DATA',
      message.replace(/^\./gm, '..') + end.replace(/\r\n$/, ''),
      'QUIT',
    ];
    if (change) lines.splice(change[0], change[0] % 2, change[1]);
    return lines;
  });

/** Everything that the server says until it, or we, end the connection. */
const talk = (port: number, text: string): Promise<string> =>
  new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      if (heard === '') socket.end(Buffer.from(text));
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => done(heard));
  });

export const SMTP_DOOR: Door = {
  name: 'smtp',
  inputs: fc.record({ lines: fc.oneof(transaction, fc.array(line, { maxLength: 10 })) }),
  async play(input, world) {
    const given = fieldsOf(input)['lines'];
    const lines = Array.isArray(given) ? given.map(textOf) : [textOf(given)];
    const text = `${lines.join('\r\n')}\r\n`;
    const heard = await talk(world.smtpPort, text);
    assert.match(heard, /^220 /, 'no greeting');
    for (const reply of heard.split('\r\n').slice(0, -1)) assert.match(reply, /^[2345]\d\d(?:[ -]|$)/, 'no reply of SMTP');
    const asked = text.toLowerCase();
    for (const { raw, recipients } of world.laptop.google.mails.list()) {
      for (const one of recipients) assert.ok(asked.includes(`<${one.toLowerCase()}>`) || one.includes('xn--'), `${one} was no RCPT TO`);
      assert.ok(raw.length > 0);
    }
    const took = world.laptop.google.mails.count();
    assert.ok(took <= (heard.match(/^250 2\.0\.0 OK id=/gm) ?? []).length, 'an email of which the client does not know');
    return { answer: shape(heard.replace(/^220.*\r\n|id=\S+|^250-.*\r\n/gm, '')), bytes: text.length };
  },
};
