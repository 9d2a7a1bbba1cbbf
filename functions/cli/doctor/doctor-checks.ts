import { warningsOf } from '../../config/config-warnings.ts';
import { connect } from '../../google/connect.ts';
import { createExchange } from '../../google/http/exchange.ts';
import { inspectGrants } from '../../google/inspect/inspect-grants.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { failureInfo, toFailure } from '../../mail/model/failure.ts';
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

export interface DoctorOptions {
  /** Only this mailbox; all of them by default. */
  readonly address?: string | undefined;
  /** Service accounts of the functions, which must be able to read the grants. */
  readonly serviceAccounts?: readonly string[];
  readonly send?: boolean;
  readonly loseReply?: boolean;
}

/** The checks of a set-up with grants, in the order in which a mail meets what they look at. */
export function doctorChecks(
  operator: Operator,
  { address, serviceAccounts = [], send = false, loseReply = false }: DoctorOptions,
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
    {
      name: 'config',
      run: async () => passed('config', `mailboxes: ${mailboxes.length}, API keys: ${operator.settings.config.keys.length}`),
    },
    ...warningsOf(operator.settings.config).map((warning, index) => ({
      name: `config warning ${index + 1}`,
      run: async () => unclear(`config warning ${index + 1}`, warning),
    })),
    { name: 'credentials', run: () => credentials(self) },
    ...networkChecks(context, chosen),
    ...projectChecks(context, chosen),
    ...chosen.flatMap((mailbox) => [
      ...secretChecks(context, mailbox, serviceAccounts),
      { name: mailbox.address, needs: ['credentials', `${mailbox.address} secret`], run: () => grantFindings(context, mailbox) },
      quotaCheck(context, mailbox),
      ...(send ? [sendCheck(context, mailbox, loseReply)] : []),
    ]),
  ];
}

async function credentials(self: CheckContext['self']): Promise<CheckFinding> {
  const token = await self().catch(toFailure);
  if (!(token instanceof Error)) return passed('credentials', 'Google gives a token for them');
  return failed('credentials', token.code, token.message, 'Run `gcloud auth login --update-adc`, or set GOOGLE_APPLICATION_CREDENTIALS.');
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
    if (ok === false && code) return failed(name, code, detail, failureInfo(code).fix);
    return ok === null ? unclear(name, detail) : passed(name, detail);
  });
}
