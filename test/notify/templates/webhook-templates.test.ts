import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Compiled } from '../../../functions/notify/compiled.ts';
import { mailOf } from '../../../functions/notify/event-email.ts';
import { routeNamed } from '../../../functions/notify/handle-event.ts';
import { compileShipped, sample } from '../../support/stack/samples.ts';

let compiled: Compiled;
before(async () => {
  compiled = await compileShipped();
});
const mailed = (template: string, data: unknown) =>
  mailOf(compiled, routeNamed(template, compiled), { data, attributes: {} }) as { html: string; subject: string };

test('what a webhook says is text in the email, not markup, and no line of its head', () => {
  const { html, subject } = mailed('webhook', { title: 'a & b', text: '<img src=x onerror=alert(1)>\n<script>' });
  assert.equal(subject, 'a & b');
  assert.doesNotMatch(html, /<img|<script/);
  assert.equal(mailed('webhook', { title: 'a\nBcc: x@example.com' }).subject, 'a Bcc: x@example.com');
});

for (const [currency, amount, shown] of [
  ['eur', 4900, '€49.00'],
  ['jpy', 4900, 'JP¥4,900'],
  ['kwd', 4900, 'KWD 4.900'],
] as const)
  test(`${amount} of the smallest unit of ${currency} is ${shown}`, () => {
    const event = sample('stripe-invoice') as { data: { object: object } };
    const { html } = mailed('stripe-invoice', { ...event, data: { object: { ...event.data.object, currency, amount_due: amount } } });
    assert.ok(html.replaceAll(' ', ' ').includes(`>${shown}<`));
  });
