import { execFile } from 'node:child_process';
import { siblingFile } from './sibling-file.ts';

/** Runs `mailgrant ledger resend` or `drop` against the running stack, and returns what it prints. */
export function decide(verb: 'resend' | 'drop', id: string, config: string, google: string): Promise<string> {
  const args = [
    siblingFile('../cli/main'),
    'ledger',
    verb,
    id,
    '--yes',
    '--config',
    config,
    '--project',
    'laptop',
    '--database',
    '(default)',
  ];
  const env = { ...process.env, MAILGRANT_GOOGLE_URL: google, NO_COLOR: '1' };
  return new Promise((done) => {
    execFile(process.execPath, args, { env, timeout: 30_000 }, (_error, stdout, stderr) => done(`${stdout}${stderr}`.trim()));
  });
}
