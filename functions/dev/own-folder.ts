import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** A folder that one stack owns, until it is released or its process has ended. */
export interface OwnFolder {
  readonly path: string;
  release(): void;
}

const TOGETHER_MAX = 50;

/**
 * Takes the folder, or `2`, `3` … in it where other stacks run already: two stacks on one ledger would deliver each message
 * twice. The folder holds secrets and emails, so only this user may read it.
 */
export function takeFolder(wanted: string): OwnFolder {
  for (let number = 1; number <= TOGETHER_MAX; number++) {
    const path = number === 1 ? wanted : join(wanted, String(number));
    const isOurs = !existsSync(path) || existsSync(join(path, LOCK)) || existsSync(join(path, 'google.sqlite'));
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (isOurs) chmodSync(path, 0o700); // an earlier version made it readable for everybody
    const release = lock(join(path, LOCK));
    if (release) return { path, release };
  }
  throw new Error(`${TOGETHER_MAX} stacks run in ${wanted} already; end some, or name another --folder`);
}

const LOCK = 'lock.sqlite';

/** SQLite's own lock: the system releases it however the process ends. Null where another process holds it. */
function lock(file: string): (() => void) | null {
  const db = new DatabaseSync(file, { timeout: 0 });
  chmodSync(file, 0o600);
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode === BUSY) return null;
    throw error;
  }
  return () => {
    if (db.isOpen) db.close();
  };
}

const BUSY = 5; // SQLITE_BUSY
