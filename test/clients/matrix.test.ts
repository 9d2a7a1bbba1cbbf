/** Programs that know nothing of mailgrant, each sending one email its own way; the matrix of what came of it is printed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { onPath, skipUnless } from '../support/programs/emulators.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../support/stack/laptop.ts';
import { blocksOf } from '../support/stack/pages.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';
import { CLIENTS } from './programs.ts';

/** What docs/sidecar.md tells an app to say, with this test's port and key. */
const told = (language: string, port: number): string =>
  (blocksOf('docs/sidecar.md').find((block) => block.language === language)?.code ?? '')
    .replace('2525', String(port))
    .replace('mg_shop_…', KEY);

const FOLDER = mkdtempSync(join(tmpdir(), 'mailgrant-'));
const FILE = join(FOLDER, 'ü.bin');
const BYTES = Buffer.from(Array.from({ length: 10_240 }, (_, n) => n % 251));
writeFileSync(FILE, BYTES);

const WORDS: Readonly<Record<number, string>> = { 18: 'Eighteen', 19: 'Nineteen', 20: 'Twenty', 21: 'Twenty-one', 24: 'Twenty-four' };

let laptop: Laptop;
let sidecar: Awaited<ReturnType<typeof sidecarFor>>;
const matrix: string[] = [];
before(async () => {
  laptop = await startLaptop();
  sidecar = await sidecarFor(laptop.api);
});
after(async () => {
  await sidecar[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});

const run = (
  [program = '', ...args]: readonly string[],
  input = '',
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> =>
  new Promise((done) => {
    const child = execFile(program, args, { env: { ...process.env, ...env } }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: `${out}${err}` }),
    );
    child.stdin?.on('error', () => {}).end(input);
  });

for (const [
  index,
  { name, way, command, version, installed = () => onPath(version[0] ?? ''), input = '', without = [] },
] of CLIENTS.entries()) {
  const present = version[0] === process.execPath || installed();
  test(`${name} by ${way}: its email arrives whole, the hidden recipient too`, { skip: skipUnless(present, name) }, async () => {
    const subject = `Grüße ${index} canary-subject`;
    const encoded = `=?utf-8?b?${Buffer.from(subject).toString('base64')}?=`;
    const person = Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) => [
        [`GIT_${role}_NAME`, 'Grün'],
        [`GIT_${role}_EMAIL`, MAILBOX],
      ]),
    );
    const env = {
      ...person,
      ...{ API: laptop.api, RESEND_BASE_URL: `${laptop.api}/`, MAILGRANT_URL: laptop.api, MAILGRANT_KEY: KEY, KEY, FROM: MAILBOX },
      ...{
        SMTP_PORT: String(sidecar.port),
        SUBJECT: subject,
        ENCODED: encoded,
        FILE,
        HOME: FOLDER,
        LC_ALL: 'C.UTF-8',
      },
      ...{ RAILS: told('ruby', sidecar.port), WORDPRESS: told('php', sidecar.port), MSMTPRC: told('conf', sidecar.port) },
    };
    const { code, text } = await run(command, input.replace('$SUBJECT', subject).replace('$ENCODED', encoded), env);
    assert.equal(code, 0, text.replaceAll(KEY, 'the key'));
    const [stored, ...more] = laptop.google.mails.list();
    laptop.google.mails.clear();
    const mail = await simpleParser(stored?.raw ?? '');
    const files = without.includes('file') ? [] : [['ü.bin', BYTES]];
    assert.deepEqual(
      [more.length, mail.subject, mail.text?.trim(), stored?.recipients.toSorted()],
      [0, subject, 'Grüße', ['hidden@example.net', 'you@example.net']],
    );
    assert.deepEqual(
      mail.attachments.map(({ filename, content }) => [filename?.replace('u.', 'ü.'), content]),
      files,
    );
    assert.doesNotMatch(mail.headers.get('cc') ? 'cc' : String(mail.to && 'text' in mail.to ? mail.to.text : ''), /hidden|cc/);
    const said = /\d+\.\d+[\w.-]*/.exec((await run(version)).text)?.[0] ?? '?';
    matrix.push(`${name.padEnd(26)}${said.padEnd(12)}${way.padEnd(14)}text, non-ASCII, bcc${files.length > 0 ? ', file' : ''}`);
  });
}

test('the client matrix', (t) => {
  assert.match(readFileSync('README.md', 'utf8'), new RegExp(`^${WORDS[CLIENTS.length]} programs`, 'm'));
  for (const row of matrix) t.diagnostic(row);
  assert.equal(readFileSync(FILE).length, BYTES.length);
});
