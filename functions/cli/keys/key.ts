import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { ConfigProblems } from '../../config/config-problems.ts';
import { checkText, loadConfig } from '../../config/load-config.ts';
import { withEntry, withoutEntry } from './key-file.ts';

/** What a new key may do, with the names of the configuration file. */
export interface KeyPolicy {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly perDay: number | null;
  readonly perMinute: number | null;
  readonly expires: string | null;
}

export interface CreatedKey {
  readonly id: string;
  /** The key. It is stored nowhere: the file contains its hash. */
  readonly key: string;
  readonly entry: Readonly<Record<string, unknown>>;
  readonly written: boolean;
}

/**
 * Creates a key of 256 random bits and writes its hash and policy into the configuration file; comments stay. Throws
 * ConfigProblems.
 */
export function createKey(file: string, id: string, policy: KeyPolicy, { dryRun = false } = {}): CreatedKey {
  const config = loadConfig(file);
  if (config.keys.some((key) => key.id === id))
    throw new ConfigProblems(file, [`keys.${id}: exists already; revoke it first, or take another id`]);
  const key = `mg_${id}_${randomBytes(32).toString('base64url')}`;
  const limits = Object.fromEntries(Object.entries({ perDay: policy.perDay, perMinute: policy.perMinute }).filter(([, n]) => n !== null));
  const entry = {
    sha256: createHash('sha256').update(key).digest('hex'),
    from: policy.from,
    ...(policy.to.length > 0 && { to: policy.to }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(policy.expires !== null && { expires: policy.expires }),
  };
  save(file, withEntry(readFileSync(file, 'utf8'), id, entry), dryRun);
  return { id, key, entry, written: !dryRun };
}

/** Removes the key from the configuration file. It works until the functions are deployed again. Throws ConfigProblems. */
export function revokeKey(file: string, id: string, { dryRun = false } = {}): { readonly id: string; readonly written: boolean } {
  if (!loadConfig(file).keys.some((key) => key.id === id)) throw new ConfigProblems(file, [`keys.${id}: no such key`]);
  save(file, withoutEntry(readFileSync(file, 'utf8'), id), dryRun);
  return { id, written: !dryRun };
}

/** Writes the file in one step, if it is still a valid configuration. */
function save(file: string, text: string, dryRun: boolean): void {
  checkText(file, text);
  if (dryRun) return;
  const real = realpathSync(file); // a link stays a link, and the file keeps its permissions
  writeFileSync(`${real}.new`, text, { mode: statSync(real).mode });
  renameSync(`${real}.new`, real);
}
