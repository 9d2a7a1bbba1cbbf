/**
 * Whatever a caller posts: never a 5xx, never a header in the letter that was not asked for, never a recipient that was
 * not asked for. Seeded and short here; `npm run fuzz` goes on for as long as one wants, at every door.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { checkComposed, checkRaw } from '../../fuzz/composed.ts';
import { letter, mail, nasty, odd } from '../../fuzz/inputs.ts';
import { authorised, type Laptop, startLaptop } from '../../support/stack/laptop.ts';

const options = { numRuns: 120, seed: 20_261_124 };

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const sent: Record<string, number> = { '/emails': 0, '/emails/batch': 0, '/v1/raw': 0 };
type Posted = { readonly status: number; readonly body: Record<string, unknown> };
async function posted(path: string, body: string | Buffer, more: Record<string, string> = {}): Promise<Posted> {
  laptop.google.mails.clear();
  const reply = await fetch(laptop.api + path, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/json', ...authorised, ...more },
  });
  const answer = (await reply.json()) as Record<string, unknown>;
  if (reply.status === 200) sent[path] = (sent[path] ?? 0) + 1;
  assert.ok(reply.status < 500, `${reply.status} ${JSON.stringify(answer)}`);
  if (reply.status !== 200)
    assert.deepEqual([answer['statusCode'], typeof answer['message'], typeof answer['name']], [reply.status, 'string', 'string']);
  return { status: reply.status, body: answer };
}

test('POST /emails', () =>
  fc.assert(
    fc.asyncProperty(mail, async (body) => {
      const { status } = await posted('/emails', JSON.stringify(body));
      const stored = laptop.google.mails.list();
      assert.equal(stored.length, status === 200 ? 1 : 0);
      for (const { raw, recipients } of stored) await checkComposed(raw, recipients, [body]);
    }),
    options,
  ));

test('POST /emails with anything at all', () =>
  fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      nasty,
      async (body, key) => {
        const header = key.replace(/[^ -~]/g, '').trim();
        await posted('/emails', body, header ? { 'idempotency-key': header } : {});
        assert.equal(laptop.google.mails.count(), 0);
      },
    ),
    options,
  ));

test('POST /emails/batch', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 4, arbitrary: mail }, odd), { maxLength: 4 }),
      fc.constantFrom('strict', 'permissive'),
      async (body, mode) => {
        const { status, body: answer } = await posted('/emails/batch', JSON.stringify(body), { 'x-batch-validation': mode });
        const stored = laptop.google.mails.list();
        assert.equal(stored.length, status === 200 ? (answer['data'] as unknown[]).length : 0);
        const mails = body.filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
        for (const { raw, recipients } of stored) await checkComposed(raw, recipients, mails);
      },
    ),
    { ...options, numRuns: Math.ceil(options.numRuns / 2) },
  ));

test('POST /v1/raw', () =>
  fc.assert(
    fc.asyncProperty(
      letter,
      fc.array(fc.constantFrom('you@example.net', 'b@example.net', 'hidden@example.org'), { maxLength: 3 }),
      async (text, to) => {
        const envelope = to.length > 0 ? { 'x-envelope-to': to.join(',') } : {};
        await posted('/v1/raw', Buffer.from(text), { 'content-type': 'message/rfc822', ...envelope });
        for (const { raw, recipients } of laptop.google.mails.list()) {
          await checkRaw(text, raw, recipients, to);
        }
      },
    ),
    options,
  ));

for (const path of Object.keys(sent))
  test(`much of ${path} was sent, so that the letters were looked at`, () =>
    assert.ok((sent[path] ?? 0) > options.numRuns / 8, `${sent[path]} were sent`));
