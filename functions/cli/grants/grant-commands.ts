import type { Command } from '../common/command.ts';
import type { Options } from './grant-setup.ts';

const CONSENT_OPTIONS = {
  client: { type: 'string' },
  'client-secret': { type: 'string' },
  project: { type: 'string' },
  timeout: { type: 'string' },
  'no-browser': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const;

const CONSENT_HELP = `  --client FILE         JSON of the OAuth client (type Desktop app) as the console downloads it
  --client-secret NAME  … or the secret that holds it; by default the client of the stored grant
  --project ID          project of the secrets (GOOGLE_CLOUD_PROJECT)
  --no-browser          print the address to open elsewhere, and take the pasted address it ends on
  --timeout SECONDS     how long to wait for the consent (300)
  --dry-run             check everything that can be checked, ask and write nothing
  --config FILE  --json
BROWSER names another program to open addresses with. No token, code or secret is shown or put on disk.`;

const run =
  (verb: 'authorize' | 'rotate' | 'revoke'): Command['run'] =>
  async (options, ...words) =>
    (await import('./run-grant-command.ts')).runGrantCommand(
      verb,
      options as Options,
      words.flatMap((word) => word ?? []),
      process.env,
    );

/** `authorize ADDRESS`: the first grant of a mailbox. */
export const AUTHORIZE: Command = {
  summary: 'let a mailbox consent, and store its grant in Secret Manager',
  help: `  ADDRESS               the mailbox\n${CONSENT_HELP}`,
  options: CONSENT_OPTIONS,
  argument: 'ADDRESS',
  run: run('authorize'),
};

/** `rotate ADDRESS`: a new grant, and the older versions disabled. */
export const ROTATE: Command = {
  summary: 'consent again; older versions are disabled once the new grant works',
  help: `  ADDRESS               the mailbox\n  --end-others          end the old grants at Google where they are of another OAuth client\n${CONSENT_HELP}`,
  options: { ...CONSENT_OPTIONS, 'end-others': { type: 'boolean' } },
  argument: 'ADDRESS',
  run: run('rotate'),
};

/** `revoke ADDRESS`: the end of a grant. */
export const REVOKE: Command = {
  summary: "end a mailbox's grant, at Google and in Secret Manager",
  help: `  ADDRESS               the mailbox
  --project ID          project of the secrets (GOOGLE_CLOUD_PROJECT)
  --yes                 do not ask
  --dry-run             show what would be ended
  --config FILE  --json
Google revokes by account and client: every other grant of that pair ends too.`,
  options: { project: { type: 'string' }, yes: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  argument: 'ADDRESS',
  run: run('revoke'),
};
