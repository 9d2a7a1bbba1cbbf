import { failureInfo, toFailure } from '../../mail/model/failure.ts';

/** Error codes of commands, each with its fix. People read them; they are never sent. */
const FIXES = {
  address_missing: 'Name the mailbox: npx mailgrant authorize notices@example.com.',
  mailbox_unknown: 'Name a mailbox of the config, or add it there first.',
  grant_without_consent:
    'Nothing is consented to for this mailbox. grant: delegation needs its service account in the Admin console (Security, API controls, Domain-wide delegation); grant: service-account-key needs the key JSON as a version of its secret. Check it with npx mailgrant watch.',
  laptop_missing: 'Start one: `npx mailgrant dev`, or `npm start` in a checkout.',
  hooks_not_served: 'End it and start it again: it reads the config when it starts. Or name the function: --url URL.',
  project_missing: 'Give the project that holds the secrets: --project ID, or GOOGLE_CLOUD_PROJECT.',
  option_invalid: 'Correct the option; --help shows them all.',
  client_missing:
    'Give the OAuth client: --client FILE (the JSON that https://console.cloud.google.com/auth/clients offers when you create a client of type Desktop app), or --client-secret NAME of a secret that holds that JSON.',
  client_unreadable: 'Download the JSON of the OAuth client again from https://console.cloud.google.com/auth/clients and give it is.',
  client_wrong_type:
    'Create an OAuth client of type Desktop app at https://console.cloud.google.com/auth/clients and use its JSON; a Web application works only with an authorised redirect URI such as http://127.0.0.1:8765/.',
  port_taken: 'End the program that listens there, or use a client of type Desktop app, which takes any port.',
  consent_denied:
    'Run it again and choose Allow. If Google refused before you could choose: under Testing the account must be a test user at https://console.cloud.google.com/auth/audience.',
  consent_blocked:
    'For a Workspace account its administrator must trust the app: Admin console, Security, API controls, App access control; for an Internal app the account must be of that organisation.',
  consent_timeout:
    'Run it again and finish in the browser; --timeout SECONDS gives more time, --no-browser prints the address to open elsewhere. If Google showed an error page in place of consent: org_internal and access_denied are about the audience (https://console.cloud.google.com/auth/audience: user type, test users), invalid_client and redirect_uri_mismatch about the client (type Desktop app).',
  redirect_unreadable: 'Paste the whole address that the browser ended on; it begins with http://127.0.0.1 and holds code= and state=.',
  state_mismatch: 'Run it again and use only the newest consent page: the answer came from another one.',
  code_refused: 'Run it again: a code serves once and for ten minutes.',
  account_mismatch: 'Run it again and choose the mailbox itself on the consent page; sign in to it first, or use a private window.',
  account_unverified: 'Verify the address of the account at https://myaccount.google.com/email and run it again.',
  scope_missing: 'Run it again and tick the Gmail permission on the consent page; it is not ticked by itself.',
  refresh_token_missing:
    'Remove the app at https://myaccount.google.com/connections, signed in as the mailbox, and run it again: Google gave no refresh token.',
  secret_not_writable:
    'Give yourself roles/secretmanager.admin (or secretVersionManager plus secretAccessor on an existing secret) in the project, and enable secretmanager.googleapis.com.',
  secret_unreadable: 'Give yourself roles/secretmanager.secretAccessor on the secret.',
  secret_shared:
    'Give each mailbox a secret of its own in the config (`secret:`), then run authorize for it; npx mailgrant config names mailboxes that share one.',
  not_known_stored:
    'Look before you run it again: npx mailgrant watch ADDRESS, or gcloud secrets versions list NAME. A second consent does no harm.',
  interrupted: 'Run it again when you are ready.',
  versions_left: 'Disable the older versions by hand: gcloud secrets versions disable N --secret=NAME, or run it again.',
  proof_failed:
    'The older versions are untouched, but the newest is what functions read: look with npx mailgrant watch, and run rotate again.',
  revoke_failed: 'Run it again, or remove the app by hand at https://myaccount.google.com/connections.',
  database_missing:
    'Name it by --database, or MAILGRANT_DATABASE: terraform -chdir=infra output database shows it. Is --project the right one?',
  mail_missing: 'Name the email by its id: npx mailgrant ledger list shows them.',
  nothing_to_decide: 'Look at the email with npx mailgrant ledger show ID.',
  mailbox_gone: 'Put the mailbox back into the config, or decide without asking Gmail: --no-ask.',
  file_unreadable: 'Give the JSON that was posted or published: the body of POST /emails.',
  services_missing:
    'Is it the right --project and --prefix? `gcloud run services list --project=ID` shows what is there; sign in by gcloud auth login.',
  stop_incomplete:
    'Run it again: what is stopped, or started, already is left alone. If it stays, run the commands that are named by hand.',
  confirmation_missing: 'Answer y, or say --yes where nobody can be asked.',
  input_unreadable: 'Name a file that is there and that you may read.',
  key_missing: 'Set MAILGRANT_KEY, or name a file by --key-file; npx mailgrant key create ID makes one.',
  route_missing: 'Name a route of the config: npx mailgrant config shows them.',
  email_too_large: 'Send less than 24 MB of files, or a link.',
  project_exists: 'Run it in an empty folder, or take what it would write from there: npx mailgrant init NEW-FOLDER.',
} as const satisfies Record<string, string>;

export type CommandErrorCode = keyof typeof FIXES;

/** Codes for a wrong command line: exit code 2. */
const USAGE: ReadonlySet<CommandErrorCode> = new Set(['address_missing', 'option_invalid', 'project_missing', 'key_missing']);

export const isUsage = (error: unknown): boolean => error instanceof CommandError && USAGE.has(error.code);

/** Stops a command; `message` is for the operator and may name addresses, but never holds a secret. */
export class CommandError extends Error {
  readonly code: CommandErrorCode;
  /** What was changed before the error; null for nothing. */
  readonly changed: string | null;

  constructor(code: CommandErrorCode, detail: string, changed: string | null = null) {
    super(detail);
    this.name = 'CommandError';
    this.code = code;
    this.changed = changed;
  }
}

/** An error, with what the command had changed before it. */
export class PartlyDone extends Error {
  readonly error: unknown;
  readonly changed: string;

  constructor(error: unknown, changed: string) {
    super(changed);
    this.name = 'PartlyDone';
    this.error = error;
    this.changed = changed;
  }
}

/** The answer of a command that did not do what it was asked. */
export interface CommandErrorReport {
  readonly ok: false;
  readonly code: string;
  readonly detail: string;
  readonly fix: string;
  /** What was changed before the error; null for nothing. */
  readonly changed: string | null;
  /** What happened to a refresh token that was not stored; null where there was none. */
  readonly unstored: DiscardedGrant | null;
}

/**
 * `revoked` at Google, `kept` because other grants would end with it, `failed`: Google refused to revoke it, or `unknown`: an answer
 * was lost, so that it may live.
 */
export type DiscardedGrant = 'revoked' | 'kept' | 'failed' | 'unknown';

/** The fix of a function's failure when it occurs in a command, where nobody repeats an email. */
const IN_A_COMMAND: Readonly<Partial<Record<string, string>>> = {
  google_unavailable: 'Run it again; if it stays, look at your network and at https://status.cloud.google.com.',
  unexpected: 'Run it again; if it stays, report it with this line.',
};

/** Any thrown value as data; of a foreign error only the name is kept. */
export function commandErrorReport(error: unknown, unstored: DiscardedGrant | null = null): CommandErrorReport {
  if (error instanceof PartlyDone) {
    const report = commandErrorReport(error.error, unstored);
    return { ...report, changed: [report.changed, error.changed].filter(Boolean).join(' ') };
  }
  if (error instanceof CommandError) {
    const { code, message, changed } = error;
    return { ok: false, code, detail: message, fix: FIXES[code], changed, unstored };
  }
  const failure = toFailure(error);
  const fix = IN_A_COMMAND[failure.code] ?? failureInfo(failure.code).fix;
  return { ok: false, code: failure.code, detail: failure.message, fix, changed: null, unstored };
}

const FATE: Readonly<Record<DiscardedGrant, string>> = {
  revoked: 'The grant that was given is not stored and was revoked at Google.',
  kept: 'The grant that was given is not stored. It was not revoked, because other grants of this account and client could end with it.',
  failed:
    'The grant that was given is not stored, and Google did not take its revocation: remove the app at https://myaccount.google.com/connections.',
  unknown:
    'No grant is stored, and one may live at Google, since an answer was lost: remove the app at https://myaccount.google.com/connections.',
};

export const commandErrorText = ({ code, detail, fix, changed, unstored }: CommandErrorReport): string =>
  [`${code}: ${detail}`, `Fix: ${fix}`, unstored && FATE[unstored], changed ?? (unstored ? null : 'Nothing was written.')]
    .filter(Boolean)
    .join('\n');
