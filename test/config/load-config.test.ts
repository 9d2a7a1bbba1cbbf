/** A config that extends another: what comes of it, and where its problems are. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { loadConfig, wholeConfig } from '../../functions/config/load-config.ts';
import { mergePatch } from '../../functions/config/merge-patch.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const BASE = `mailboxes:
  notices@example.com: { name: Notices, limits: { perDay: 100 } }
  old@example.com: {}
delivery: queued
`;
/** The two files beside each other; answers the path of the second. */
function laid(own: string, base = BASE): string {
  writeFileSync(join(folder, 'mailgrant.yaml'), base);
  writeFileSync(join(folder, 'staging.yaml'), own);
  return join(folder, 'staging.yaml');
}

test('an environment says what differs, and takes out what it does not have', () => {
  const file = laid('extends: mailgrant.yaml\nmailboxes:\n  notices@example.com: { limits: { perDay: 5 } }\n  old@example.com: null\n');
  const { mailboxes, delivery } = loadConfig(file);
  assert.deepEqual(
    [mailboxes.map(({ address, name, limits }) => [address, name, limits?.perDay]), delivery],
    [[['notices@example.com', 'Notices', 5]], 'queued'],
  );
});

test('the whole config is one file that extends nothing and comes to the same', () => {
  const file = laid('extends: mailgrant.yaml\nmailboxes:\n  new@example.com: {}\n');
  const whole = wholeConfig(file);
  assert.equal('extends' in parse(whole), false);
  writeFileSync(join(folder, 'whole.yaml'), whole);
  assert.deepEqual(loadConfig(join(folder, 'whole.yaml')), loadConfig(file));
});

const wrong: readonly { readonly name: string; readonly own: string; readonly base?: string; readonly says: RegExp }[] = [
  { name: 'a problem of its own', own: 'extends: mailgrant.yaml\ndelivery: pigeon\n', says: /staging\.yaml:2: delivery/ },
  {
    name: 'a problem of the file below',
    own: 'extends: mailgrant.yaml\n',
    base: `${BASE}ledger: { addresses: loud }\n`,
    says: /mailgrant\.yaml:5: ledger/,
  },
  { name: 'a file that is not there', own: 'extends: nobody.yaml\n', says: /nobody\.yaml.*\n.*cannot be read: ENOENT/ },
  { name: 'a file elsewhere', own: 'extends: ../mailgrant.yaml\n', says: /staging\.yaml:1: extends: expected the name/ },
  {
    name: 'a file that extends another',
    own: 'extends: mailgrant.yaml\n',
    base: `extends: other.yaml\n${BASE}`,
    says: /staging\.yaml:1: extends: .* itself/,
  },
  { name: 'a file that is no name', own: 'extends: [mailgrant.yaml]\n', says: /staging\.yaml:1: extends/ },
];
for (const { name, own, base, says } of wrong)
  test(`${name} is named with its file and line`, () => assert.throws(() => loadConfig(laid(own, base)), says));

const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 3 });
test('a patch laid over anything twice comes to the same as once, and leaves no null', () =>
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const once = mergePatch(target, patch);
      assert.deepEqual(mergePatch(once, patch), once);
      const isMap = (value: unknown): value is Record<string, unknown> =>
        typeof value === 'object' && value !== null && !Array.isArray(value);
      if (isMap(patch) && isMap(once))
        for (const [key, value] of Object.entries(patch)) if (value === null) assert.equal(Object.hasOwn(once, key), false);
    }),
  ));
