/** The text part that is made from html says what a browser shows: the same words in the same lines, for generated html. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type Browser, chromium, type Page } from 'playwright-core';
import { htmlToText } from '../../functions/mail/mime/html-to-text.ts';
import { CHROMIUM_ARGS, chromiumPath } from '../support/programs/chromium.ts';
import { skipUnless } from '../support/programs/emulators.ts';

const browserPath = chromiumPath();
const skip = skipUnless(browserPath !== undefined, 'chromium');
let browser: Browser;
let page: Page;
before(async () => {
  if (skip) return;
  browser = await chromium.launch({ executablePath: browserPath as string, args: CHROMIUM_ARGS, timeout: 300_000 });
  page = await browser.newPage();
});
after(() => browser?.close());

/** What a browser shows, where nothing of it is hidden. */
const shown = (htmls: readonly string[]): Promise<string[]> =>
  page.evaluate((all) => {
    const { body } = (globalThis as unknown as { document: { body: { innerHTML: string; innerText: string } } }).document;
    return all.map((html) => {
      body.innerHTML = html;
      // biome-ignore lint/performance/useDomNodeTextContent: it is what is compared
      return body.innerText;
    });
  }, htmls);

// Marks of lists are ours, and a browser's innerText has none; blank lines and the width of gaps are the library's own.
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) =>
      line
        .replace(/^\s*(-|\d+\.)\s/, '')
        .replace(/[\s\u00a0]+/g, ' ')
        .trim(),
    )
    .filter((line) => line !== '');

const word = fc.constantFrom(
  ...[
    'one',
    'Zo&euml;',
    '&amp;amp;',
    '&lt;b&gt;',
    '5 < 6',
    '7 > 3',
    'a&nbsp;b',
    '&notin;',
    '&#x2713;',
    '&#233;',
    '&copy',
    'x&y',
    '&CounterClockwiseContourIntegral;',
    '“q”',
  ],
);
const words = fc.array(word, { minLength: 1, maxLength: 4 }).map((all) => all.join(' '));
const within = (tag: string) => (inner: string) => `<${tag}>${inner}</${tag}>`;
const inline = fc.oneof(
  { weight: 4, arbitrary: words },
  words.map(within('b')),
  words.map((inner) => `<span style=color:red>${inner}</span>`),
  words.map((inner) => `<a name=x>${inner}</a>`),
  fc.tuple(words, words).map(([one, other]) => `${one}<br>${other}`),
  words.map((inner) => `<!-- no --><style>p{}</style>${inner}`),
);
const line = fc.array(inline, { minLength: 1, maxLength: 3 }).map((all) => all.join(' '));
const block = fc.oneof(
  ...['p', 'div', 'h1', 'h3', 'blockquote', 'section', 'center'].map((tag) => line.map(within(tag))),
  line.map((inner) => `<p class=x title='a>b'>${inner}`),
  fc.array(line, { minLength: 1, maxLength: 3 }).map((all) => `<ul>${all.map(within('li')).join('')}</ul>`),
  fc.array(line, { minLength: 1, maxLength: 3 }).map((all) => `<ol><li>${all.join('<li>')}</ol>`),
  fc
    .array(fc.array(words, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((rows) => `<table>${rows.map((row) => `<tr>${row.map(within('td')).join('')}</tr>`).join('\n')}</table>`),
  fc.array(fc.constantFrom('if x:', '    y', 'a  b', 'z'), { minLength: 1, maxLength: 4 }).map((lines) => `<pre>${lines.join('\n')}</pre>`),
  line.map((inner) => `<div><p>${inner}</p></div>`),
  fc.constant('<hr>'),
);
const html = fc.array(block, { minLength: 1, maxLength: 5 }).map((all) => all.join('\n'));

test('generated html has the words and the lines that a browser shows', { skip }, async () => {
  const samples = fc.sample(html, { numRuns: 500, seed: 18 });
  const seen = await shown(samples);
  for (const [index, sample] of samples.entries()) assert.deepEqual(linesOf(htmlToText(sample)), linesOf(seen[index] ?? ''), sample);
});

test('every named entity of the standard is the letter that a browser makes of it', { skip }, async () => {
  const names = [
    'Aacute',
    'AMP',
    'bigstar',
    'Cedilla',
    'DoubleLongLeftRightArrow',
    'Euro',
    'fjlig',
    'hellip',
    'NotEqualTilde',
    'thetasym',
    'zwj',
    'nbsp',
    'gt',
    'QUOT',
  ];
  const samples = names.map((name) => `a&${name};b`);
  const seen = await shown(samples);
  for (const [index, sample] of samples.entries()) assert.deepEqual(linesOf(htmlToText(sample)), linesOf(seen[index] ?? ''), sample);
});
