import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

// A ZIP holds local time: local components give the same bytes in every time zone, and 1980 is its first year.
const MTIME = new Date(1980, 0, 1);
const UNIX = 3;
const PLAIN_FILE = 0o100644 * 0x10000;

export interface Archive {
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 in hexadecimal: Terraform names the uploaded object by it, so that only new code is deployed. */
  readonly sha256: string;
}

/**
 * Writes `NAME.zip` beside the folder `NAME` of a built function: the same source gives the same bytes on any machine. fflate
 * compresses and not zlib, whose output differs between processors.
 */
export function archive(outFolder: string, name: string): Archive {
  const entries: Zippable = {};
  // Source maps are left out: nothing reads them in the deployed function.
  for (const file of readdirSync(join(outFolder, name)).sort())
    if (!file.endsWith('.map')) entries[file] = [readFileSync(join(outFolder, name, file)), { mtime: MTIME, os: UNIX, attrs: PLAIN_FILE }];
  const zip = zipSync(entries, { level: 9 });
  const file = `${outFolder}/${name}.zip`;
  writeFileSync(file, zip);
  return { file, bytes: zip.length, sha256: createHash('sha256').update(zip).digest('hex') };
}
