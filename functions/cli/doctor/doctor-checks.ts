import { warningsOf } from '../../config/config-warnings.ts';
import { aboutCause, type Cause } from '../../diagnose/causes/causes.ts';
import { connect } from '../../google/connect.ts';
import { createExchange } from '../../google/http/exchange.ts';
import { inspectGrants } from '../../google/inspect/inspect-grants.ts';
import type { Config, Mailbox } from '../../mail/model/config.ts';
import { type FailureCode, failureInfo, toFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { Operator } from '../common/operator.ts';
import { CommandError } from '../common/refusal.ts';
import { type CheckFinding, type DoctorCheck, failed, passed, unclear } from './check.ts';
import type { CheckContext } from './check-context.ts';
import { networkChecks } from './check-network.ts';
import { projectChecks } from './check-project.ts';
import { quotaCheck } from './check-quota.ts';
import { secretChecks } from './check-secret.ts';
import { sendCheck } from './check-send.ts';
import { stoppedFinding, stoppedFunctions } from './stopped-functions.ts';

export interface DoctorOptions {
  /** Only this mailbox; all of them by default. */
  readonly address?: string | undefined;
  /** Service accounts of the functions, which must be able to read the grants. */
  readonly serviceAccounts?: readonly string[];
  readonly send?: boolean;
  readonly loseReply?: boolean;
  /** First part of the names of the deployment's functions. */
  readonly prefix?: string | undefined;
}

/** The checks of a set-up with grants, in the order in which a mail meets what they look at. */
export function doctorChecks(
  operator: Operator,
  { address, serviceAccounts = [], send = false, loseReply = false, prefix }: DoctorOptions,
): DoctorCheck[] {
  const exchange = createExchange()(AbortSignal.timeout(60_000));
  const self = (): Promise<AccessToken> => operator.identity();
  const context: CheckContext = { operator, exchange, self };
  const { mailboxes } = operator.settings.config;
  const chosen = mailboxes.filter((one) => address === undefined || one.address === address.toLowerCase());
  if (chosen.length === 0)
    throw new CommandError(
      'mailbox_unknown',
      `${address} is not in the config: name one of ${mailboxes.map((one) => one.address).join(', ')}`,
    );
  return [
    ...configChecks(operator.settings.config),
    { name: 'credentials', run: () => credentials(self) },
    ...networkChecks(context, operator.settings, chosen),
    ...projectChecks(context, chosen),
    { name: 'stopped', needs: ['credentials'], run: async () => stoppedFinding(await stoppedFunctions(operator, prefix)) },
    ...chosen.flatMap((mailbox) => [
      ...secretChecks(context, mailbox, serviceAccounts),
      { name: mailbox.address, needs: ['credentials', `${mailbox.address} secret`], run: () => grantFindings(context, mailbox) },
      quotaCheck(context, mailbox),
      ...(send ? [sendCheck(context, mailbox, loseReply)] : []),
    ]),
  ];
}

/** What the config holds, and what is doubtful in it. */
export const configChecks = (config: Config): DoctorCheck[] => [
  { name: 'config', run: async () => passed('config', `mailboxes: ${config.mailboxes.length}, API keys: ${config.keys.length}`) },
  ...warningsOf(config, Date.now()).map((warning, index) => ({
    name: `config warning ${index + 1}`,
    run: async () => unclear(`config warning ${index + 1}`, warning),
  })),
];

export async function credentials(self: CheckContext['self']): Promise<CheckFinding> {
  const token = await self().catch(toFailure);
  if (!(token instanceof Error)) return passed('credentials', 'Google gives a token for them');
  return failed('credentials', token.code, token.message, 'Run `gcloud auth login --update-adc`, or set GOOGLE_APPLICATION_CREDENTIALS.');
}

/** Causes that one failure code of ours holds together: the word of the token endpoint tells them apart. */
const WORDS: readonly (readonly [code: FailureCode, word: RegExp, cause: Cause])[] = [
  ['client_refused', /\bdeleted_client\b/, 'oauth-client-deleted'],
  ['client_refused', /\bunauthorized_client\b/, 'client-mismatch'],
  ['grant_revoked', /\binvalid_rapt\b/, 'reauth-required-rapt'],
];

/** Files that are stored in place of a grant, by what is said of them. */
const STORED_WRONG: readonly (readonly [said: RegExp, fix: string])[] = [
  [/file of an OAuth client/, 'Run `npx mailgrant authorize ADDRESS --client FILE` with that file: it makes the grant and stores it.'],
  [
    /key file of a service account/,
    'Run `npx mailgrant authorize ADDRESS`. To send by domain-wide delegation set `grant: delegation`, which needs no key, or `grant: service-account-key`.',
  ],
];

/** A finding with the cause that its detail tells, where it tells more than the code. */
function told(check: string, code: FailureCode, detail: string): CheckFinding {
  const cause = WORDS.find(([of, word]) => of === code && word.test(detail))?.[2];
  if (cause) return failed(check, cause, detail, ...aboutCause(cause).fix);
  return failed(check, code, detail, STORED_WRONG.find(([said]) => said.test(detail))?.[1] ?? failureInfo(code).fix);
}

/** What the watch finds of a mailbox, with the fix of each. */
async function grantFindings({ operator }: CheckContext, mailbox: Mailbox): Promise<CheckFinding[]> {
  const settings = { ...operator.settings, config: { ...operator.settings.config, mailboxes: [mailbox] } };
  const [inspection] = await inspectGrants(
    settings,
    connect(settings, () => {}, operator.identity),
  );
  return (inspection?.findings ?? []).map(({ check, ok, code, detail }) => {
    const name = `${mailbox.address} ${check}`;
    if (ok === false && code) return told(name, code, detail);
    return ok === null ? unclear(name, detail) : passed(name, detail);
  });
}
