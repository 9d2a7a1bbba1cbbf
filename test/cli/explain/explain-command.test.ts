import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { explainData, explainText, ownIn } from '../../../functions/cli/explain/explain-command.ts';
import { explain } from '../../../functions/diagnose/explain.ts';

const REFUSED = '535-5.7.8 Username and Password not accepted. Learn more at';

const run = (args: readonly string[], input = '') =>
  spawnSync(process.execPath, ['functions/cli/main.ts', 'explain', ...args], { input, encoding: 'utf8' });

test('--json has the agreed fields, each of its type', () => {
  const { stdout, status } = run(['--json'], REFUSED);
  const { matches } = JSON.parse(stdout) as { matches: Record<string, unknown>[] };
  assert.equal(status, 0);
  for (const { id, cause, confidence, evidence, fix, retry } of matches) {
    assert.deepEqual(
      [typeof id, typeof cause, typeof confidence, Array.isArray(evidence), Array.isArray(fix)],
      ['string', 'string', 'number', true, true],
    );
    assert.ok(['never', 'soon', 'later', 'ask'].includes(String(retry)));
  }
  assert.equal(matches[0]?.['cause'], 'app-password-required');
});

test('a file, - and nothing are three ways in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'explain-'));
  const file = join(folder, 'error.txt');
  writeFileSync(file, REFUSED);
  const answers = [run([file, '--json']), run(['-', '--json'], REFUSED), run(['--json'], REFUSED)].map(({ stdout }) => stdout);
  rmSync(folder, { recursive: true });
  assert.equal(new Set(answers).size, 1);
  assert.ok(answers[0]?.includes('app-password-required'));
});

test('nothing recognised: exit code 1, no match, and what to paste', () => {
  const { stdout, status } = run(['--json'], 'hello');
  const answer = JSON.parse(stdout) as { matches: unknown[]; paste: unknown[] };
  assert.deepEqual([status, answer.matches.length, answer.paste.length > 0], [1, 0, true]);
});

const own: { text: string; codes: string[] }[] = [
  { text: ' grant_revoked\n', codes: ['grant_revoked'] },
  { text: '{"severity":"ERROR","event":"mail","code":"route_template"}', codes: ['route_template'] },
  { text: '  code        session_gone', codes: [] },
  { text: 'reason: in_flight', codes: ['in_flight'] },
  { text: 'unexpected end of file, and the connection was dropped', codes: [] },
];
for (const { text, codes } of own)
  test(`of mailgrant's own codes ${JSON.stringify(text)} names ${codes.join() || 'none'}`, () =>
    assert.deepEqual(
      ownIn(text).map(({ code }) => code),
      codes,
    ));

test('a code of ours is explained, with its fix', () => {
  const { stdout, status } = run([], 'grant_revoked');
  assert.equal(status, 0);
  assert.match(stdout, /rotate/);
});

test('a file that is not there is an error, not an answer', () => {
  const { stdout, status } = run(['no-such-file.txt']);
  assert.deepEqual([status, stdout], [1, '']);
});

test('the text for a person holds cause, evidence, every step of the fix and the advice on retrying', () => {
  const found = explain(REFUSED);
  const text = explainText(found);
  const [best] = found.matches;
  assert.ok(best);
  for (const part of [best.cause, ...best.evidence, ...best.fix, best.wait, best.avoided]) assert.ok(text.includes(part), part);
});

test('data is what explain found', () => assert.deepEqual(explainData(explain(REFUSED)).matches, explain(REFUSED).matches));
