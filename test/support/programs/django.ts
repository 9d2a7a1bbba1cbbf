import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';

// Debian's own interpreter sees Debian's packages; another one can be named to try another Django.
export const PYTHON = process.env['MAILGRANT_PYTHON'] ?? '/usr/bin/python3';
const APP = join(import.meta.dirname, '../../clients/django_app.py');

export const hasDjango = (): boolean => spawnSync(PYTHON, ['-c', 'import django'], { stdio: 'ignore' }).status === 0;

/** Runs one scenario of the Django app, with settings of its own; answers what it printed. */
export function runDjango(scenario: string, env: Readonly<Record<string, string>>, settings: object = {}): Promise<unknown> {
  return new Promise((done, fail) =>
    execFile(PYTHON, ['-W', 'ignore', APP, scenario, JSON.stringify(settings)], { env: { ...process.env, ...env } }, (error, out, err) => {
      if (error) return fail(new Error(`${scenario}: ${err}`));
      return done(JSON.parse(out));
    }),
  );
}
