import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { plainText } from '../../functions/mail/plain-text.ts';
import type { Compiled } from '../../functions/notify/compiled.ts';
import { decide, mailOf } from '../../functions/notify/routes.ts';
import { compiledSamples, SAMPLES, sampleOf } from '../support/hook-samples.ts';

const GOLDENS = 'test/notify/goldens';
let compiled: Compiled;
before(async () => {
  compiled = await compiledSamples();
});

/** The mail as a reader without html sees it: short enough to be read in review; MAILGRANT_GOLDENS=update writes it anew. */
for (const { template, attributes } of SAMPLES)
  test(`the sample for ${template} becomes the mail that was reviewed`, async () => {
    const event = { data: sampleOf(template), attributes };
    const route = compiled.routes[template] ?? assert.fail();
    assert.ok(await decide(route, event));
    const { subject, html } = mailOf(compiled, route, event) as { subject: string; html: string };
    const rendered = `${subject}\n\n${plainText(html)}\n`;
    const file = `${GOLDENS}/${template}.txt`;
    if (process.env['MAILGRANT_GOLDENS'] === 'update') {
      mkdirSync(GOLDENS, { recursive: true });
      writeFileSync(file, rendered);
    }
    assert.equal(rendered === readFileSync(file, 'utf8'), true, `${file} differs; look at it with MAILGRANT_GOLDENS=update and git diff`);
  });

const unwanted = [
  ['github-workflow-run', { action: 'completed', workflow_run: { conclusion: 'success' } }],
  ['github-release', { action: 'edited' }],
  ['alertmanager', { status: 'resolved' }],
  ['stripe-invoice', { type: 'invoice.paid' }],
] as const;
for (const [template, change] of unwanted)
  test(`${template} wants no ${JSON.stringify(change)}`, async () => {
    const { attributes = {} } = SAMPLES.find((one) => one.template === template) ?? {};
    const data = { ...(sampleOf(template) as object), ...change };
    assert.equal(await decide(compiled.routes[template] ?? assert.fail(), { data, attributes }), null);
  });

test('what an event says is text in the mail, not markup, and no line of its head', () => {
  const data = { ...(sampleOf('webhook') as object), text: '<img src=x onerror=alert(1)>\n<b>', title: 'a & b' };
  const { html, subject } = mailOf(compiled, compiled.routes['webhook'] ?? assert.fail(), { data, attributes: {} }) as { html: string; subject: string };
  assert.equal(subject, 'a & b');
  assert.doesNotMatch(html, /<img|<b>/);
  assert.throws(() => mailOf(compiled, compiled.routes['webhook'] ?? assert.fail(), { data: { title: 'a\nBcc: x@example.com' }, attributes: {} }), {
    code: 'route_template',
  });
});

test('an amount in the smallest unit is shown in the currency’s own', () => {
  const sample = sampleOf('stripe-invoice') as { data: { object: object } };
  const shown = (currency: string, amount_due: number): string => {
    const data = { ...sample, data: { object: { ...sample.data.object, currency, amount_due } } };
    return String(mailOf(compiled, compiled.routes['stripe-invoice'] ?? assert.fail(), { data, attributes: {} })['html']);
  };
  assert.match(shown('eur', 4900), />€49\.00</);
  assert.match(shown('jpy', 4900), />JP¥4,900</);
});
