import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SmtpEnvelope } from '../../../functions/cli/smtp/smtp-idempotency.ts';
import type { SmtpReply } from '../../../functions/cli/smtp/smtp-reply.ts';
import { createUnions, WHOLE_WITHIN_MS } from '../../../functions/cli/smtp/smtp-union.ts';

const RECEIVED = 'Received: from app by mx; Sat, 28 Nov 2026 10:00:00 +0000\r\n';
const message = (named: readonly string[], head = RECEIVED): Buffer =>
  Buffer.from(`${head}To: ${named.join(', ')}\r\nMessage-ID: <a@app>\r\n\r\nbody\r\n`);

/** Unions over a clock that only the test moves, and a function that refuses an envelope which leaves one of `named` out. */
function set(named: readonly string[], refusal: SmtpReply | null = null, asked: SmtpEnvelope[] = []) {
  let now = 1_000;
  const sent: SmtpEnvelope[] = [];
  const waits: (() => void)[] = [];
  const unions = createUnions(
    () => now,
    (_, signal) =>
      new Promise((done, fail) => {
        waits.push(done);
        signal?.addEventListener('abort', () => fail(new Error('aborted')));
      }),
  );
  const send = async (envelope: SmtpEnvelope): Promise<SmtpReply> => {
    if (!named.every((one) => envelope.to.includes(one))) return { code: 550, text: '5.6.0 no', failure: 'envelope_incomplete' };
    asked.push(envelope);
    if (refusal) return refusal;
    sent.push(envelope);
    return { code: 250, text: `2.0.0 OK id=${sent.length}` };
  };
  const part = (to: readonly string[], { head = RECEIVED, owner = 'key', body = named } = {}): Promise<SmtpReply> =>
    unions.send(message(body, head), { from: 'notices@example.com', to }, owner, send);
  const pass = async (ms: number): Promise<void> => {
    await new Promise(setImmediate);
    now += ms;
    for (const wake of waits.splice(0)) wake();
  };
  return { part, pass, sent, close: unions.close };
}

const codes = (replies: readonly SmtpReply[]): number[] => replies.map(({ code }) => code);
const [A, B, C] = ['a@example.net', 'b@example.net', 'c@example.net'] as const;

test('a whole envelope is sent at once, and nothing is remembered of it', async () => {
  const { part, sent } = set([A, B]);
  assert.deepEqual(codes([await part([A, B]), await part([A, B, C])]), [250, 250]);
  assert.deepEqual(
    sent.map(({ to }) => to),
    [
      [A, B],
      [A, B, C],
    ],
  );
});

test('parts that come together are one email, and each hears its id', async () => {
  const { part, sent } = set([A, B, C]);
  const replies = await Promise.all([part([A]), part([B]), part([C])]);
  assert.deepEqual([replies.map(({ text }) => text), sent.length, sent[0]?.to], [Array(3).fill('2.0.0 OK id=1'), 1, [A, B, C]]);
});

test('a part that waits in vain is 451; when it comes again after the others it is answered with what became of the whole', async () => {
  const { part, pass, sent } = set([A, B]);
  const first = part([A]);
  await pass(10_001);
  assert.equal((await first).code, 451);
  assert.deepEqual(codes([await part([B]), await part([A]), await part([A])]), [250, 250, 250]);
  assert.equal(sent.length, 1);
});

test('a recipient whom no envelope names is never sent to: 451, and 550 once all parts have had their time', async () => {
  const { part, pass, sent } = set([A, B, C]);
  for (const code of [451, 451]) {
    const replies = Promise.all([part([A]), part([B])]);
    for (let n = 0; n < 3; n++) await pass(10_001);
    assert.deepEqual(codes(await replies), [code, code]);
  }
  await pass(WHOLE_WITHIN_MS);
  const late = part([A]);
  await pass(10_001);
  assert.deepEqual([(await late).code, sent.length], [550, 0]);
});

const strangers = [
  { name: 'an app, which writes no Received', change: { head: '' } },
  { name: 'another key', change: { owner: 'other' } },
  { name: 'another message', change: { body: [A, B, C] } },
];
for (const { name, change } of strangers)
  test(`a part of ${name} is not joined`, async () => {
    const { part, pass, sent } = set([A, B]);
    const replies = Promise.all([part([A]), part([B], change)]);
    await pass(10_001);
    assert.deepEqual([(await replies).every(({ code }) => code !== 250), sent.length], [true, 0]);
  });

test('a whole that may have been sent is asked about as it is, and a part with somebody else is refused', async () => {
  const asked: SmtpEnvelope[] = [];
  const { part } = set([A, B], { code: 451, text: '4.3.0 unknown', failure: 'delivery_unknown' }, asked);
  assert.deepEqual(codes(await Promise.all([part([A]), part([B])])), [451, 451]);
  assert.deepEqual(codes([await part([C]), await part([A])]), [550, 451]);
  assert.deepEqual([...new Set(asked.map(({ to }) => to.join()))], [`${A},${B}`]);
});

test('a part that waits is answered when the sidecar ends', async () => {
  const { part, close } = set([A, B]);
  const first = part([A]);
  await new Promise(setImmediate);
  close();
  assert.equal((await first).code, 451);
});

test('what the function says of the whole is the answer to the part that completed it, and another try is another attempt', async () => {
  const { part, pass } = set([A, B], { code: 451, text: '4.7.1 limit' });
  const first = part([A]);
  assert.match((await part([B])).text, /^4\.7\.1/);
  await pass(10_001);
  assert.match((await first).text, /^4\.[75]/);
  assert.match((await part([A])).text, /^4\.7\.1/);
});

test('however a message is split, one email goes, to nobody whom no envelope has named', async () => {
  const person = fc.integer({ min: 0, max: 7 }).map((n) => `p${n}@example.net`);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(person, { minLength: 1, maxLength: 6 }),
      fc.array(fc.record({ to: fc.uniqueArray(person, { minLength: 1, maxLength: 4 }), after: fc.constantFrom(0, 0, 5_000, 400_000) }), {
        minLength: 1,
        maxLength: 6,
      }),
      async (named, parts) => {
        const { part, pass, sent } = set(named);
        const asked: Promise<SmtpReply>[] = [];
        for (const { to, after } of parts) {
          if (after > 0) await pass(after);
          asked.push(part(to));
        }
        for (let n = 0; n < 12; n++) await pass(10_001);
        const replies = await Promise.all(asked);
        const envelopes = new Set(parts.flatMap(({ to }) => to));
        // A part that names everybody is an email of its own, as it was before parts were joined.
        const alone = parts.filter(({ to }) => named.every((one) => to.includes(one))).length;
        assert.ok(sent.length <= 1 + alone);
        assert.ok(sent.every(({ to }) => to.every((one) => envelopes.has(one))));
        for (const [index, { code }] of replies.entries())
          if (code === 250) assert.ok(parts[index]?.to.every((one) => sent.some(({ to }) => to.includes(one))));
      },
    ),
    { numRuns: 300 },
  );
});
