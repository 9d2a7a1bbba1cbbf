import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

// Words that docs/glossary.md replaced by the field's own. They must not come back into names, comments or pages.
const RETIRED =
  /(?<![a-z])(un)?(bury|buries|buried|burial)|graveyard|morgue|witness|(?<![a-z])vault|patien(t|ce)|sieve|doorkeeper|(?<![a-z])knock|(?<![a-z])letter|(?<![a-z])parcel|(?<![a-z])(yard|desk|errand|slot|trail|tired)(?![a-z])|(?<![a-z])seal(s|ed)?(?![a-z])|keeper(?!s?-)|(?<![a-z])mend(s|ed|ing)?(?![a-z])|(?<![a-z])put(s|ting)? (it |them )?(off|by)(?![a-z])|(?<![a-z])work(s|ed|ing)? off(?![a-z])/gi;

/** What may stand in a line: removed from it before the words are looked for. Each row says why. */
const ALLOWED: readonly { readonly text: RegExp; readonly why: string }[] = [
  { text: /dead[ -_]?letters?/gi, why: "Pub/Sub's own word" },
  { text: /deadLetter\w*|DeadLetter\w*/g, why: "Pub/Sub's own word" },
  { text: /buriedAt/g, why: 'a stored field of the ledger' },
  { text: /letterBytes\b|['`]letter['`]/g, why: 'stored fields of the ledger' },
  { text: /\bletters: (\[\]|done|\.filter)|data\.letters/g, why: 'a field of `dead --json`' },
  {
    text: /(lower|upper)-case letters?|letters?(, digits| and digits| but| beyond| that|,? swapped|s? \d|\b, then)|\d+ (to \d+ )?letters|sixteen letters|Arabic letter mark|to the letter|letters and|that letter to every|stays a letter|Windows' letters|a letter, then|but letters|of letters/gi,
    why: 'a letter of an alphabet',
  },
  { text: /decisions\/\d{3}-[a-z-]+/g, why: 'the name of a dated page' },
];

/** Files whose names of elements are pinned by other tests. */
const SKIPPED = new Set(['docs/KNOWLEDGE.md', 'functions/pages/pages.css', 'functions/pages/views/inbox.ts']);

const files = execFileSync('git', ['ls-files', '--', 'functions', 'docs', 'README.md'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !file.startsWith('docs/decisions/') && !SKIPPED.has(file) && /\.(ts|css|md|hbs)$/.test(file));

test('retired words stand in no name, comment or page', () => {
  const found = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) => retiredIn(line).map((word) => `${file}:${index + 1}: ${word}`)),
  );
  assert.deepEqual(found, []);
});

test('the search finds a retired word, and no word that only contains one', () => {
  for (const line of ['/** A letter. */', 'const patience = 1;', 'bury(mail)', 'the vault', 'it is mended', 'is put off'])
    assert.equal(retiredIn(line).length, 1, line);
  for (const line of [
    'a dead letter',
    '`--key`: lower-case letters',
    'recommended',
    'default',
    'backyards',
    'sealing wax is no word of ours',
  ])
    assert.deepEqual(retiredIn(line), [], line);
});

function retiredIn(line: string): string[] {
  let rest = line;
  for (const { text } of ALLOWED) rest = rest.replace(text, '');
  return [...rest.matchAll(RETIRED)].map(([word]) => word);
}
