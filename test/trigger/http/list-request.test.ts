/** `GET /emails`: a caller's own emails, newest first, page by page, as Resend's SDK asks for them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Resend } from 'resend';
import { CONFIG, KEY, type Laptop, MAIL, MAILBOX, post, startLaptop } from '../../support/stack/laptop.ts';

const OTHER = `mg_other_canary-${'o'.repeat(40)}`;
let laptop: Laptop;
let clock = Date.UTC(2026, 10, 28, 12);
const ids: string[] = [];
const send = async (key: string, tags: unknown): Promise<string> => {
  const { body } = await post(`${laptop.api}/emails`, { ...MAIL, tags }, { authorization: `Bearer ${key}` });
  return String(body?.['id']);
};
const list = async (query = '', key = KEY) => {
  const reply = await fetch(`${laptop.api}/emails${query}`, { headers: { authorization: `Bearer ${key}` } });
  return { status: reply.status, body: (await reply.json()) as { name?: string; has_more: boolean; data: { id: string }[] } };
};

before(async () => {
  const other = { id: 'other', sha256: createHash('sha256').update(OTHER).digest('hex'), from: [MAILBOX], to: null };
  laptop = await startLaptop({ config: { ...CONFIG, keys: [...CONFIG.keys, other] }, now: () => clock });
  for (let email = 0; email < 7; email++) {
    if (email !== 3) clock += 1_000; // two of one moment have an order too
    ids.unshift(await send(KEY, [{ name: 'order', value: String(email) }]));
  }
  await send(OTHER, null);
  const [a = '', b = ''] = [ids[3], ids[4]]; // of those two the greater id comes first
  if (a < b) [ids[3], ids[4]] = [b, a];
});
after(() => laptop[Symbol.asyncDispose]());

test('Resend’s SDK lists them, newest first, and reads page after page in both directions', async () => {
  const { emails } = new Resend(KEY, { baseUrl: laptop.api });
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const { data, error } = await emails.list(after === undefined ? { limit: 3 } : { limit: 3, after });
    assert.equal(error, null);
    seen.push(...(data?.data ?? []).map(({ id }) => id));
    after = data?.has_more ? seen.at(-1) : undefined;
  } while (after !== undefined);
  assert.deepEqual(seen, ids);
  const { data } = await emails.list({ limit: 2, before: ids[4] as string });
  assert.deepEqual([data?.data.map(({ id }) => id), data?.has_more], [ids.slice(2, 4), true]);
});

test('each is as `GET /emails/ID` has it, tags and all, and holds no content', async () => {
  const { body } = await list('?limit=1');
  const reply = await fetch(`${laptop.api}/emails/${ids[0]}`, { headers: { authorization: `Bearer ${KEY}` } });
  const one = (await reply.json()) as Record<string, unknown>;
  assert.deepEqual(one['tags'], [{ name: 'order', value: '6' }]);
  const [listed = {}] = body.data as Record<string, unknown>[];
  for (const [name, value] of Object.entries(listed)) assert.deepEqual(value, one[name], name);
  assert.doesNotMatch(JSON.stringify(body), /canary|you@example/);
});

test('another caller sees its own alone, and no cursor leads out of them', async () => {
  assert.equal((await list('', OTHER)).body.data.length, 1);
  const refused = await list(`?after=${ids[0]}`, OTHER);
  assert.deepEqual([refused.status, refused.body.name], [422, 'validation_error']);
});

for (const query of [
  '?limit=0',
  '?limit=101',
  '?limit=x',
  '?after=nothing',
  '?before=0197a3c2-1f5e-7000-8000-000000000000',
  '?after=a&before=b',
])
  test(`refused: ${query}`, async () => assert.equal((await list(query)).status, 422));

test('tags of any other form are no reason to refuse an email, and are left out', async () => {
  for (const [tags, kept] of [
    [
      ['a', null, { name: 'ok', value: 'x=y z' }, { name: 'white space', value: 'x' }, { name: 'n', value: 7 }],
      [{ name: 'ok', value: 'x=y z' }],
    ],
    [{ name: 'a', value: 'b' }, []],
    ['text', []],
  ] as const) {
    clock += 1_000;
    const id = await send(KEY, tags);
    const reply = await fetch(`${laptop.api}/emails/${id}`, { headers: { authorization: `Bearer ${KEY}` } });
    assert.deepEqual(((await reply.json()) as Record<string, unknown>)['tags'], kept);
  }
});
