import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { revokeKey } from '../../../functions/cli/keys/key.ts';
import { loadConfig } from '../../../functions/config/load-config.ts';
import { authenticate } from '../../../functions/trigger/http/authenticate.ts';
import { typed } from '../../support/programs/command-line.ts';

const YAML = `# ours
mailboxes:
  notices@example.com: { aliases: [no-reply@example.com] } # the shop's

keys:
  old: # the old shop
    sha256: ${'a'.repeat(64)}
    from: [notices@example.com] # only this one

# the end
`;
const digest = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');
const newFile = (text = YAML): string => {
  const file = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'mailgrant.yaml');
  writeFileSync(file, text);
  return file;
};
const run = (file: string, ...args: string[]) => typed(['key', ...args, '--config', file]);

test('a key that is made works, and its hash is all that is kept', async () => {
  const file = newFile();
  const limits = ['--per-day', '500', '--per-minute', '20', '--expires', '2099-01-31'];
  const { status, stdout, stderr } = await run(
    file,
    'create',
    'shop',
    '--from',
    'notices@example.com,no-reply@example.com',
    '--to',
    '*@example.com',
    ...limits,
  );
  assert.equal(status, 0, stderr);
  const key = /^mg_shop_[\w-]{43}$/m.exec(stdout)?.[0] ?? '';
  const config = loadConfig(file);
  const { sha256, ...policy } = authenticate({ authorization: `Bearer ${key}` }, { config, digest, now: Date.now, trustIam: false });
  assert.equal(sha256, digest(key));
  assert.deepEqual(policy, {
    id: 'shop',
    from: ['notices@example.com', 'no-reply@example.com'],
    to: ['*@example.com'],
    limits: { perDay: 500, perMinute: 20 },
    expires: Date.UTC(2099, 1, 1),
  });
  assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(key.slice(8)));
});

test('the rest of the file stays as it was, comments and blanks too; revoking takes only the key away', async () => {
  const file = newFile();
  await run(file, 'create', 'shop', '--from', 'notices@example.com');
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const line of YAML.split('\n')) assert.ok(lines.includes(line), line);
  assert.equal((await run(file, 'revoke', 'shop')).status, 0);
  assert.equal(readFileSync(file, 'utf8'), YAML);
});

test('the first key of a file, and the last', async () => {
  const bare = 'mailboxes:\n  notices@example.com: {}\n';
  const file = newFile(bare);
  assert.equal((await run(file, 'create', 'shop', '--from', 'notices@example.com')).status, 0);
  assert.deepEqual(
    loadConfig(file).keys.map(({ id }) => id),
    ['shop'],
  );
  assert.equal((await run(file, 'revoke', 'shop')).status, 0);
  assert.equal(readFileSync(file, 'utf8'), bare);
});

test('keys that are written in braces are edited too', async () => {
  for (const keys of ['keys: {}', `keys: { old: { sha256: ${'b'.repeat(64)}, from: [notices@example.com] } }`]) {
    const file = newFile(`mailboxes: { notices@example.com: {} }\n${keys}\n`);
    const { status, stderr } = await run(file, 'create', 'shop', '--from', 'notices@example.com');
    assert.equal(status, 0, stderr);
    assert.equal(loadConfig(file).keys.at(-1)?.id, 'shop');
  }
});

test('every key is another one', async () => {
  const file = newFile();
  const made = async (id: string) =>
    JSON.parse((await run(file, 'create', id, '--from', 'notices@example.com', '--json')).stdout).key as string;
  const keys = [await made('a'), await made('b')];
  assert.notEqual(keys[0]?.slice(5), keys[1]?.slice(5));
});

test('the list shows what each may do, and no hash', async () => {
  const { stdout } = await run(newFile(), 'list');
  assert.match(stdout, /^old {2}from notices@example\.com$/m);
  const json = JSON.parse((await run(newFile(), 'list', '--json')).stdout);
  assert.deepEqual(json.keys, [{ id: 'old', from: ['notices@example.com'], to: null, expires: null }]);
});

const refused: { args: string[]; says: RegExp; status?: number }[] = [
  { args: [], says: /Fix: npx mailgrant key --help/ },
  { args: ['make', 'x'], says: /unknown command 'make'/ },
  { args: ['create'], says: /missing required argument 'ID'/ },
  { args: ['create', 'a', 'b', '--from', 'notices@example.com'], says: /too many arguments/ },
  { args: ['create', 'Shop', '--from', 'notices@example.com'], says: /lower-case/ },
  { args: ['create', 'shop'], says: /--from/ },
  { args: ['create', 'shop', '--from', 'ceo@example.com'], says: /keys\.shop\.from\.0: ceo@example\.com is no mailbox/, status: 1 },
  { args: ['create', 'shop', '--from', 'notices@example.com', '--to', 'example.com'], says: /keys\.shop\.to\.0/, status: 1 },
  { args: ['create', 'shop', '--from', 'notices@example.com', '--per-day', 'x'], says: /--per-day/ },
  { args: ['create', 'shop', '--from', 'notices@example.com', '--expires', '31.1.2027'], says: /keys\.shop\.expires/, status: 1 },
  { args: ['create', 'old', '--from', 'notices@example.com'], says: /exists already/, status: 1 },
  { args: ['revoke', 'nobody'], says: /no such key/, status: 1 },
];
for (const { args, says, status: wanted = 2 } of refused)
  test(`key ${args.join(' ')} is refused, and the file stays`, async () => {
    const file = newFile();
    const { status, stderr } = await run(file, ...args);
    assert.equal(status, wanted);
    assert.match(stderr, says);
    assert.equal(readFileSync(file, 'utf8'), YAML);
  });

test('a dry run shows no key and writes nothing', async () => {
  const file = newFile();
  const { status, stdout } = await run(file, 'create', 'shop', '--from', 'notices@example.com', '--dry-run', '--json');
  assert.deepEqual([status, JSON.parse(stdout).key, readFileSync(file, 'utf8')], [0, null, YAML]);
  assert.deepEqual([(await run(file, 'revoke', 'old', '--dry-run')).status, readFileSync(file, 'utf8')], [0, YAML]);
});

test('a config behind a link stays there, with its mode', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const real = join(folder, 'real.yaml');
  const link = join(folder, 'link.yaml');
  writeFileSync(real, YAML, { mode: 0o600 });
  symlinkSync(real, link);
  revokeKey(link, 'old');
  assert.deepEqual([lstatSync(link).isSymbolicLink(), statSync(real).mode & 0o777, loadConfig(real).keys], [true, 0o600, []]);
});
