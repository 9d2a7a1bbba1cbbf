import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Google } from '../fake-google/google.ts';
import type { Hook } from '../mail/model/route.ts';
import { schemeOf } from '../verify/verify.ts';

/**
 * A signing secret for each webhook, created once and kept in the ignored folder, where `mailgrant hook sign` finds it. At each
 * start the fake Secret Manager gets the content of the file, so a vendor's real secret can be put into the file.
 */
export function keepHookSecrets(
  hooks: readonly Pick<Hook, 'verify' | 'secret'>[],
  folder: string,
  google: Pick<Google, 'storeSecret'>,
): void {
  const kept = join(folder, 'hook-secrets');
  for (const hook of hooks.filter(({ secret }) => secret !== '')) {
    const { secret } = hook;
    mkdirSync(kept, { recursive: true });
    const file = join(kept, secret);
    if (!existsSync(file)) writeFileSync(file, `${made(hook)}\n`, { mode: 0o600 });
    google.storeSecret(PROJECT, secret, readFileSync(file, 'utf8'));
  }
}

const made = (hook: Pick<Hook, 'verify'>): string => schemeOf(hook).secret?.make(randomBytes(32)) ?? '';

const PROJECT = 'laptop'; // the stack's project
