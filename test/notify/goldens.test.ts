/**
 * What the shipped templates make of what Google Cloud publishes. A golden is written with MAILGRANT_GOLDENS=write, and
 * looked at in a browser (`node test/browser/mails.ts`) before it is committed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { htmlToText } from '../../functions/mail/mime/html-to-text.ts';
import type { Compiled } from '../../functions/notify/compiled.ts';
import { mailOf } from '../../functions/notify/event-email.ts';
import { routeNamed } from '../../functions/notify/handle-event.ts';
import { cases, compileShipped, sample, shipped } from '../support/stack/samples.ts';

const GOLDENS = join(import.meta.dirname, 'goldens');
let compiled: Compiled;
before(async () => {
  compiled = await compileShipped();
});

const rendered = ({ template, data, attributes, digest }: ReturnType<typeof cases>[number]) =>
  mailOf(compiled, routeNamed(template, compiled), { data: JSON.parse(JSON.stringify(data)), attributes }, digest) as {
    subject: string;
    html: string;
  };

for (const one of cases())
  test(`${one.name} reads as it was looked at`, () => {
    const { subject, html } = rendered(one);
    const files = { [`${one.name}.html`]: html, [`${one.name}.txt`]: `Subject: ${subject}\n\n${htmlToText(html)}\n` };
    for (const [file, text] of Object.entries(files)) {
      if (process.env['MAILGRANT_GOLDENS'] === 'write') writeFileSync(join(GOLDENS, file), text);
      assert.equal(text, readFileSync(join(GOLDENS, file), 'utf8'), file);
    }
  });

test('there is a golden for each case and none besides', () =>
  assert.deepEqual(
    readdirSync(GOLDENS).sort(),
    cases()
      .flatMap(({ name }) => [`${name}.html`, `${name}.txt`])
      .sort(),
  ));

test('each template has a sample, and each sample a template', () => {
  for (const { path } of shipped().filter(({ path }) => !path.includes('/') && path !== 'digest.hbs'))
    assert.ok(existsSync(join('config/samples', path.replace('.hbs', '.json'))), path);
  for (const file of readdirSync('config/samples')) assert.ok(existsSync(join('config/templates', file.replace('.json', '.hbs'))), file);
});

test('no email is too big for Gmail to show whole, and none asks for anything from elsewhere', () => {
  for (const one of cases()) {
    const { html } = rendered(one);
    assert.ok(Buffer.byteLength(html) < 60_000, one.name); // Gmail cuts at 102 kB
    assert.doesNotMatch(html, /<(script|img|link|iframe|form)\b|\b(src|background|srcset)=|@import|url\(/i);
  }
});

test('hostile events stay text', () => {
  const evil = '"><img src=x onerror=alert(1)><a href="javascript:alert(1)">\r\nBcc: a@example.com';
  const build = { ...sample('cloud-build'), failureInfo: { detail: evil } };
  const { html, subject } = rendered({ name: '', template: 'cloud-build', data: build, attributes: {} });
  assert.doesNotMatch(html, /<img|<a href="javascript/);
  assert.doesNotMatch(subject, /[\r\n]/);
  const { TRIGGER_NAME: _, ...rest } = build['substitutions' as never] as Record<string, string>;
  const named = { ...build, substitutions: { ...rest, TRIGGER_NAME: evil } };
  assert.equal(
    rendered({ name: '', template: 'cloud-build', data: named, attributes: {} }).subject,
    `Build failure: ${evil.replace('\r\n', ' ')}`,
  );
  // An alert is not lost for its link: what is no address of the web stands there to be read.
  const { html: page } = rendered({ name: '', template: 'cloud-build', data: { ...build, logUrl: 'javascript:alert(1)' }, attributes: {} });
  assert.doesNotMatch(page, /<a /);
  assert.match(page, /Open the log: javascript:alert\(1\)/);
});
