import { DRY_RUN, type Leaf, type OptionTable, PROJECT_OPTION, YES } from '../common/command.ts';
import type { GrantOptions } from './grant-setup.ts';

const CONSENT_OPTIONS: OptionTable = {
  client: { value: 'FILE', about: 'JSON of the OAuth client (type Desktop app) as the console downloads it' },
  'client-secret': { value: 'NAME', about: 'or the secret that holds it; by default the client of the stored grant' },
  ...PROJECT_OPTION,
  'no-browser': { about: 'print the address to open elsewhere, and take the pasted address it ends on' },
  timeout: { value: 'SECONDS', about: 'how long to wait for the consent (300)' },
  'dry-run': { about: 'check everything that can be checked, ask and write nothing' },
};

const CONSENT_NOTES = 'BROWSER names another program to open addresses with. No token, code or secret is shown or put on disk.';

const run =
  (verb: 'authorize' | 'rotate' | 'revoke'): Leaf['run'] =>
  async (options, ...words) =>
    (await import('./run-grant-command.ts')).runGrantCommand(verb, options as GrantOptions, words, process.env);

/** `authorize ADDRESS`: the first grant of a mailbox. */
export const AUTHORIZE: Leaf = {
  summary: 'let a mailbox consent, and store its grant in Secret Manager',
  arguments: '<ADDRESS>',
  options: CONSENT_OPTIONS,
  examples: [
    'authorize notices@example.com --client client.json --project your-project',
    'authorize notices@example.com --project your-project --no-browser',
  ],
  notes: CONSENT_NOTES,
  run: run('authorize'),
};

/** `rotate ADDRESS`: stores a new grant and disables the older versions. */
export const ROTATE: Leaf = {
  summary: 'consent again; older versions are disabled once the new grant works',
  arguments: '<ADDRESS>',
  options: {
    'end-others': { about: 'end the old grants at Google where they are of another OAuth client' },
    'keep-others': { about: 'or leave them alive there' },
    ...CONSENT_OPTIONS,
  },
  examples: ['rotate notices@example.com --project your-project'],
  notes: CONSENT_NOTES,
  run: run('rotate'),
};

/** `revoke ADDRESS`: revokes a grant. */
export const REVOKE: Leaf = {
  summary: "end a mailbox's grant, at Google and in Secret Manager",
  arguments: '<ADDRESS>',
  options: {
    all: { about: 'look into versions that were disabled before, too, and end their grants' },
    ...PROJECT_OPTION,
    ...YES,
    ...DRY_RUN,
  },
  examples: ['revoke notices@example.com --project your-project --dry-run'],
  notes: 'Google revokes by account and client: every other grant of that pair ends too.',
  run: run('revoke'),
};
