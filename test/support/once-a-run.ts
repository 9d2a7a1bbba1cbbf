import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder that all processes of one `npm test` share; it is removed at the end of it. A file that is run by itself has its own. */
const SHARED = process.env['MAILGRANT_RUN'];

/** A folder that `make` fills once a run: the process that asks first makes it, the others wait until it is there. */
export function onceARun(name: string, make: (folder: string) => void): string {
  const folder = join(SHARED ?? mkdtempSync(join(tmpdir(), 'mailgrant-')), name);
  while (!existsSync(folder)) {
    if (lock(`${folder}.lock`)) {
      const unfinished = `${folder}.${process.pid}`;
      mkdirSync(unfinished);
      make(unfinished);
      renameSync(unfinished, folder);
    } else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  return folder;
}

/** True for the process that may make it: the first one, or the next one where that has ended without it. */
function lock(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    const holder = Number(readFileSync(file, 'utf8') || process.pid);
    if (holder === process.pid || lives(holder)) return false;
    writeFileSync(file, String(process.pid));
    return true;
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
