/** `POST /emails`, `/emails/batch`, `/v1/raw`. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { authorised } from '../support/stack/laptop.ts';
import { checkComposed, checkRaw } from './composed.ts';
import { type Door, fieldsOf, headersOf, type Played, shape, textOf } from './door.ts';
import { letter, mail, nasty, odd } from './inputs.ts';
import type { World } from './world.ts';

async function posted({ laptop }: World, path: string, body: string | Buffer, more: Record<string, string> = {}) {
  const reply = await fetch(laptop.api + path, {
    method: 'POST',
    body: body as string,
    headers: { 'content-type': 'application/json', ...more, ...authorised },
  });
  const answer = (await reply.json()) as Record<string, unknown>;
  assert.ok(reply.status < 500, `${reply.status} ${JSON.stringify(answer)}`);
  if (reply.status !== 200)
    assert.deepEqual([answer['statusCode'], typeof answer['message'], typeof answer['name']], [reply.status, 'string', 'string']);
  return { status: reply.status, answer };
}

const played = (status: number, answer: Record<string, unknown>, body: string): Played => ({
  answer: `${status} ${shape(String(answer['message'] ?? ''))}`,
  bytes: body.length,
});

const template = fc.oneof(
  fc.record({ id: fc.constantFrom('scheduler-tick', 'webhook', 'grafana', '../x', '__proto__'), variables: odd }, { requiredKeys: [] }),
  odd,
);

export const HTTP_DOORS: readonly Door[] = [
  {
    name: 'emails',
    inputs: fc.oneof(
      { weight: 6, arbitrary: mail.map((body) => ({ body })) },
      { weight: 1, arbitrary: fc.tuple(mail, template).map(([{ text: _, ...body }, one]) => ({ body: { ...body, template: one } })) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(mail, fc.oneof(nasty, fc.date({ noInvalidDate: true }).map(String)))
          .map(([body, at]) => ({ body: { ...body, scheduled_at: at } })),
      },
      { weight: 1, arbitrary: fc.oneof(fc.json(), fc.string()).map((text) => ({ text })) },
    ),
    async play(input, world) {
      const { body, text, headers } = fieldsOf(input);
      const given = typeof text === 'string' ? text : JSON.stringify(body ?? null);
      const { status, answer } = await posted(world, '/emails', given, headersOf(headers));
      const stored = world.laptop.google.mails.list();
      if (typeof text === 'string' && fieldsOf(body)['scheduled_at'] === undefined && status !== 200) assert.equal(stored.length, 0);
      else if (typeof text !== 'string') {
        const later = fieldsOf(body)['scheduled_at'] !== undefined;
        assert.ok(stored.length === (status === 200 ? 1 : 0) || (later && stored.length === 0), `${status} and ${stored.length} emails`);
        if (!fieldsOf(body)['template']) for (const { raw, recipients } of stored) await checkComposed(raw, recipients, [fieldsOf(body)]);
      }
      return played(status, answer, given);
    },
  },
  {
    name: 'batch',
    inputs: fc.record({
      body: fc.oneof({ weight: 8, arbitrary: fc.array(fc.oneof({ weight: 4, arbitrary: mail }, odd), { maxLength: 4 }) }, odd),
      headers: fc.record({ 'x-batch-validation': fc.constantFrom('strict', 'permissive') }),
    }),
    async play(input, world) {
      const { body, headers } = fieldsOf(input);
      const given = JSON.stringify(body ?? null);
      const { status, answer } = await posted(world, '/emails/batch', given, headersOf(headers));
      const stored = world.laptop.google.mails.list();
      const mails = Array.isArray(body) ? body.map(fieldsOf) : [];
      assert.ok(stored.length === (status === 200 ? (answer['data'] as unknown[]).length : 0) || mails.some((one) => one['scheduled_at']));
      for (const { raw, recipients } of stored) await checkComposed(raw, recipients, mails);
      return played(status, answer, given);
    },
  },
  {
    name: 'raw',
    inputs: fc.record({
      message: fc.oneof({ weight: 5, arbitrary: letter }, nasty),
      to: fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom('you@example.net', 'b@example.net', 'hidden@example.org') }, nasty), {
        maxLength: 3,
      }),
    }),
    async play(input, world) {
      const { message, to } = fieldsOf(input);
      const given = Buffer.from(textOf(message));
      const people = Array.isArray(to) ? to.map((one) => headersOf({ to: one })['to'] ?? '') : [];
      const envelope: Record<string, string> = people.join('').trim() === '' ? {} : { 'x-envelope-to': people.join(',') };
      const { status, answer } = await posted(world, '/v1/raw', given, { 'content-type': 'message/rfc822', ...envelope });
      const stored = world.laptop.google.mails.list();
      assert.equal(stored.length, status === 200 ? 1 : 0);
      const named = people
        .flatMap((one) => one.split(','))
        .map((one) => one.trim())
        .filter((one) => /^[a-z]+@[a-z.]+$/.test(one));
      if (named.length === people.length)
        for (const { raw, recipients } of stored) await checkRaw(given.toString(), raw, recipients, named);
      return played(status, answer, textOf(message));
    },
  },
];
