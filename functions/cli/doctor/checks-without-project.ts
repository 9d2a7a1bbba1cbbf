import { createExchange } from '../../google/http/exchange.ts';
import type { Operator } from '../common/operator.ts';
import { type DoctorCheck, unclear } from './check.ts';
import { networkChecks } from './check-network.ts';
import { configChecks, credentials } from './doctor-checks.ts';

const SAY_IT = 'Give the project: --project ID, or GOOGLE_CLOUD_PROJECT. With a local stack running: --laptop.';

/**
 * What can be looked at while no project is named: the config, where there is one, who the operator is, and the way to Google. What is
 * left out is named.
 */
export function checksWithoutProject(
  { settings, identity }: Operator,
  file: string,
  hasConfig: boolean,
  address: string | undefined,
): DoctorCheck[] {
  const mailboxes = settings.config.mailboxes.filter((one) => address === undefined || one.address === address.toLowerCase());
  const missing: DoctorCheck = {
    name: 'config',
    run: async () =>
      unclear('config', `there is no ${file} here`, '`npx mailgrant init` makes a project; or give the file: --config FILE.'),
  };
  return [
    { name: 'project', run: async () => unclear('project', 'none is named: APIs, secrets, grants and limits are not looked at', SAY_IT) },
    ...(hasConfig ? configChecks(settings.config) : [missing]),
    { name: 'credentials', run: () => credentials(identity) },
    ...networkChecks({ exchange: createExchange()(AbortSignal.timeout(60_000)) }, settings, mailboxes),
  ];
}
