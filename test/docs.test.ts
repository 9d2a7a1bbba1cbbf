/** The snippets of docs/use-it-from.md for Node, Python and curl, run as they stand there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { onPath, skipUnless } from './support/emulators.ts';
import { KEY, type Laptop, startLaptop } from './support/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

const page = readFileSync('docs/use-it-from.md', 'utf8');
const RUN: Readonly<Record<string, readonly string[]>> = {
  js: [process.execPath, '--input-type=module', '-e'],
  python: ['python3', '-c'],
  sh: ['bash', '-c'],
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*$/;
const printed: readonly RegExp[] = [UUID, /^sent\s*$/, UUID, UUID, /^\{"id":"/, /^\{"data":\[\{"id":"[^"]+"\}\],"errors":\[\{"index":1,/];

const snippets = [...page.matchAll(/^```(js|python|sh)\n([\s\S]*?)^```/gm)]
  .map(([, language = '', code = '']) => ({ language, code }))
  .filter(({ code }) => !code.startsWith('export '));

test('there is a snippet for each that is said to be run', () => assert.equal(snippets.length, printed.length));

for (const [index, { language, code }] of snippets.entries()) {
  const [program = '', ...args] = RUN[language] ?? [];
  const needs = { js: program, python: 'python3', sh: 'curl' }[language] ?? '';
  const skip = skipUnless(language === 'js' || onPath(needs), needs);
  test(`snippet ${index + 1} (${language}) sends a mail and prints what it says`, { skip }, async () => {
    const before = laptop.google.mails.count();
    const env = { ...process.env, RESEND_BASE_URL: `${laptop.api}/`, RESEND_API_KEY: KEY };
    const { stdout } = await promisify(execFile)(program, [...args, code], { env });
    assert.match(stdout, printed[index] ?? /never/);
    assert.equal(laptop.google.mails.count() - before, 1);
  });
}
