/** Webhooks of every scheme, push envelopes, CloudEvents, events of the supplied templates, documents. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { documentHeaders } from '../support/stack/documents.ts';
import { envelope } from '../support/stack/laptop.ts';
import { SIGNED_CASES, type SignedCase } from '../verify/schemes.ts';
import { type Door, fieldsOf, headersOf, shape, textOf } from './door.ts';
import { eventFor, hostile } from './events.ts';
import { mail, nasty, odd } from './inputs.ts';
import { CONDITIONED, hookName, TEMPLATES, type World } from './world.ts';

async function posted(url: string, body: string, headers: Record<string, string>) {
  const reply = await fetch(url, {
    method: 'POST',
    body: Buffer.from(body, 'utf8'),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const answer = await reply.text();
  return { status: reply.status, answer };
}

// A template or condition of one's own may ask for a field that the event lacks: the vendor redelivers until it is corrected.
const OWN = new Set<unknown>(['route_template', 'route_condition']);
function checkStatus(status: number, { laptop }: World): void {
  assert.ok(status < 500 || laptop.lines.some((line) => OWN.has(line['code'])), `${status} ${JSON.stringify(laptop.lines)}`);
}

/** The code that was logged for what was refused. */
const codes = ({ laptop }: World): string =>
  laptop.lines.map((line) => `${line['code'] ?? line['outcome']} ${line['detail'] ?? ''}`).join(' ');

const hookInput = fc.record(
  {
    body: fc.oneof(
      { weight: 3, arbitrary: hostile.map((event) => JSON.stringify(event)) },
      { weight: 2, arbitrary: fc.dictionary(nasty, nasty, { maxKeys: 4 }).map((fields) => new URLSearchParams(fields).toString()) },
      nasty,
      hostile.map((event) => `payload=${encodeURIComponent(JSON.stringify(event))}`),
    ),
    headers: fc.oneof(
      fc.record({
        'content-type': fc.constantFrom('application/x-www-form-urlencoded', 'application/json', 'application/vnd.x+json', 'text/plain'),
      }),
      fc.constant({}),
      fc.dictionary(
        fc.constantFrom('x-github-event', 'x-signature', 'webhook-id', 'stripe-signature', 'authorization', 'content-encoding'),
        nasty,
        { maxKeys: 2 },
      ),
    ),
    signed: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
  },
  { requiredKeys: ['body', 'signed'] },
);

const hookDoor = (scheme: SignedCase): Door => ({
  name: `hook ${scheme.name}`,
  inputs: hookInput,
  async play(input, world) {
    const { body, headers, signed } = fieldsOf(input);
    const given = textOf(body);
    const own = headersOf(headers);
    const signature = signed === true ? await scheme.sign(given.toWellFormed(), scheme.secret, Math.floor(Date.now() / 1_000)) : {};
    const { status } = await posted(`${world.hooks.url}/hooks/${hookName(scheme.name)}`, given.toWellFormed(), { ...own, ...signature });
    checkStatus(status, world);
    if (signed !== true) assert.ok(status !== 200 || world.laptop.google.mails.count() === 0, 'an unsigned event became an email');
    return { answer: `${status} ${shape(codes(world))}`, bytes: given.length };
  },
});

/** A message of a topic, or what looks like one. Ids that are `fresh` are nobody else's. */
const push = (data: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: data.map((one) => envelope(one, { messageId: 'fresh' })) },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          subscription: odd,
          deliveryAttempt: odd,
          message: fc.oneof(
            fc.record(
              {
                messageId: fc.oneof(fc.constant('fresh'), odd),
                data: fc.oneof(
                  nasty.map((text) => Buffer.from(text).toString('base64')),
                  odd,
                ),
                attributes: fc.oneof(fc.dictionary(nasty, nasty, { maxKeys: 3 }), odd),
              },
              { requiredKeys: [] },
            ),
            odd,
          ),
        },
        { requiredKeys: [] },
      ),
    },
    { weight: 1, arbitrary: data },
  );

/** The request with an id of its own where it asks for one. */
function fresh(value: unknown, world: World): { readonly text: string; readonly own: boolean } {
  const message = fieldsOf(fieldsOf(value)['message']);
  const own = message['messageId'] === 'fresh';
  const whole = own ? { ...fieldsOf(value), message: { ...message, messageId: `fresh-${world.next()}` } } : (value ?? null);
  return { text: JSON.stringify(whole).toWellFormed(), own };
}

async function pushed(path: string, input: unknown, world: World) {
  const { body, headers } = fieldsOf(input);
  const { text, own } = fresh(body, world);
  const before = world.taken();
  const { status } = await posted(world.laptop.worker + path, text, { ...headersOf(headers) });
  checkStatus(status, world);
  const postponed = /scheduled_at|mailgrant|idempotencyKey/i.test(
    Buffer.from(textOf(fieldsOf(fieldsOf(body)['message'])['data']), 'base64').toString() + text,
  );
  return { status, text, lost: own && status === 204 && world.taken() === before && !postponed };
}

export const EVENT_DOORS: readonly Door[] = [
  ...SIGNED_CASES.map(hookDoor),
  {
    name: 'push',
    inputs: fc.record({ body: push(mail) }),
    async play(input, world) {
      const { status, text, lost } = await pushed('/', input, world);
      assert.ok(!lost, 'acknowledged, and neither an email nor a dead letter');
      return { answer: `${status} ${shape(codes(world))}`, bytes: text.length };
    },
  },
  {
    name: 'cloudevents',
    inputs: fc.oneof(
      fc.record({
        headers: fc.record(
          { 'ce-id': fc.oneof(fc.uuid(), nasty), 'ce-source': nasty, 'ce-type': nasty, 'ce-specversion': fc.constant('1.0') },
          { requiredKeys: ['ce-id'] },
        ),
        body: push(mail),
      }),
      fc.record({
        headers: fc.record({ 'content-type': fc.constantFrom('application/cloudevents+json', 'application/cloudevents-batch+json') }),
        body: fc.oneof(
          fc.record(
            {
              specversion: odd,
              id: fc.oneof(fc.uuid(), odd),
              source: odd,
              type: odd,
              data: fc.oneof(mail, push(mail), odd),
              data_base64: odd,
            },
            { requiredKeys: [] },
          ),
          fc.array(odd, { maxLength: 2 }),
        ),
      }),
    ),
    async play(input, world) {
      const { status, text } = await pushed('/', input, world);
      return { answer: `${status} ${shape(codes(world))}`, bytes: text.length };
    },
  },
  {
    name: 'templates',
    inputs: fc
      .constantFrom(...TEMPLATES)
      .chain((route) =>
        fc.record({ route: fc.constant(route), body: eventFor(route).map((event) => envelope(event, { messageId: 'fresh' })) }),
      ),
    async play(input, world) {
      const route = textOf(fieldsOf(input)['route']);
      const { status, text, lost } = await pushed(`/routes/${TEMPLATES.includes(route) ? route : 'webhook'}`, input, world);
      assert.ok(!lost, 'acknowledged, and neither an email nor a dead letter');
      for (const { raw } of world.laptop.google.mails.list())
        assert.doesNotMatch(raw.toString('latin1').split('\r\n\r\n', 1)[0] ?? '', /^bcc:/im);
      return { answer: `${route} ${status} ${shape(codes(world))}`, bytes: text.length };
    },
  },
  {
    name: 'conditions',
    inputs: fc.record({
      route: fc.constantFrom(...CONDITIONED),
      body: fc
        .oneof(fc.record({ items: fc.oneof(fc.array(hostile), hostile), text: hostile, a: hostile }, { requiredKeys: [] }), hostile)
        .map((event) => envelope(event, { messageId: 'fresh' })),
    }),
    async play(input, world) {
      const route = textOf(fieldsOf(input)['route']);
      const { status, text } = await pushed(`/routes/${CONDITIONED.includes(route) ? route : 'listed'}`, input, world);
      return { answer: `${route} ${status} ${shape(codes(world))}`, bytes: text.length };
    },
  },
  {
    name: 'documents',
    inputs: fc.record({
      fields: fc.oneof(
        {
          weight: 5,
          arbitrary: mail.map(({ subject, text, html, attachments, headers, ...fields }) => ({
            ...fields,
            message: { subject, text, html, attachments, headers },
          })),
        },
        fc.record({
          to: odd,
          message: fc.oneof(
            fc.record(
              { subject: odd, html: nasty, attachments: odd, icalEvent: odd, list: odd, priority: odd, messageId: odd },
              { requiredKeys: [] },
            ),
            odd,
          ),
        }),
        fc
          .tuple(
            mail,
            fc.record({ name: fc.constantFrom('scheduler-tick', 'webhook', '../x'), data: odd, attachments: odd }, { requiredKeys: [] }),
          )
          .map(([{ to }, template]) => ({ to, template })),
        fc.dictionary(
          nasty.filter((name) => name !== ''),
          odd,
          { maxKeys: 3 },
        ),
      ),
    }),
    async play(input, world) {
      const { fields, headers } = fieldsOf(input);
      const path = `mail/fuzz-${world.next()}`;
      const given = JSON.parse(JSON.stringify(fieldsOf(fields)).toWellFormed()) as Record<string, unknown>;
      const { delivery: _, ...own } = given;
      await world.app.put(path, own).catch(() => {}); // a field's name that Firestore does not take
      const { status } = await posted(`${world.documents}/documents`, 'x', { ...documentHeaders(path), ...headersOf(headers) });
      checkStatus(status, world);
      const delivery = fieldsOf(await world.app.delivery(path));
      const asked = JSON.stringify([own['to'], own['cc'], own['bcc']]).toLowerCase();
      for (const { recipients } of world.laptop.google.mails.list())
        for (const one of recipients)
          assert.ok(one.includes('xn--') || one.includes('"') || asked.includes(one.toLowerCase()), `${one} was not asked for`);
      const { state, error } = delivery;
      return { answer: `${status} ${state} ${shape(textOf(error))}`, bytes: JSON.stringify(given).length };
    },
  },
];
