import { connect } from '../../google/connect.ts';
import { inspectGrants } from '../../google/inspect/inspect-grants.ts';
import { failureInfo } from '../../mail/model/failure.ts';
import type { Inspection } from '../../mail/model/inspection.ts';
import { type Leaf, PREFIX, PROJECT_OPTION } from '../common/command.ts';
import { type Operator, operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { stoppedFunctions, stoppedLines } from './stopped-functions.ts';

/** Looks at every mailbox's grant as the scheduled function does; `address` narrows it to one. */
async function watchMailboxes({ settings, identity }: Operator, address?: string): Promise<readonly Inspection[]> {
  const mailboxes = settings.config.mailboxes.filter((one) => address === undefined || one.address === address.toLowerCase());
  if (mailboxes.length === 0)
    throw new CommandError(
      'mailbox_unknown',
      `${address ?? 'mailbox'} is not in the config: name one of ${settings.config.mailboxes.map((one) => one.address).join(', ')}`,
    );
  const chosen = { ...settings, config: { ...settings.config, mailboxes } };
  return inspectGrants(
    chosen,
    connect(chosen, () => {}, identity),
  );
}

/** A table for people: one line per mailbox; below a failing mailbox, the problem and its fix. */
function watchTable(inspections: readonly Inspection[]): string {
  const sign = (ok: boolean | null): string => (ok === null ? 'unknown' : ok ? 'ok' : 'wrong');
  const lines = inspections.flatMap(({ address, ok, findings }) => [
    `${ok ? 'ok   ' : 'WRONG'}  ${address.padEnd(34)} ${findings.map((one) => `${one.check} ${sign(one.ok)}`).join(', ')}`,
    ...findings.flatMap((one) =>
      one.ok === false && one.code ? [`         ${one.code}: ${one.detail}`, `         fix: ${failureInfo(one.code).fix}`] : [],
    ),
  ]);
  const sick = inspections.filter(({ ok }) => !ok).length;
  const seen = ({ findings }: Inspection): boolean => findings.every(({ check, ok }) => check === 'bounces' || ok !== false);
  const mute = inspections.filter((one) => !seen(one)).length;
  const blind = sick - mute;
  return [
    ...lines,
    mute === 0 ? 'Every mailbox can send.' : `${mute} of ${inspections.length} cannot send.`,
    ...(blind > 0 ? [`Bounces of ${blind} of ${inspections.length} cannot be found.`] : []),
  ].join('\n');
}

/** `watch [ADDRESS]`: can every mailbox send right now? */
export const WATCH: Leaf = {
  summary: 'check whether every mailbox can send right now',
  arguments: '[ADDRESS]',
  options: { ...PROJECT_OPTION, ...PREFIX },
  examples: ['watch --project your-project', 'watch notices@example.com --project your-project'],
  notes: 'ADDRESS narrows it to one mailbox. Exit code 0 only if every mailbox can send and no function is stopped.',
  async run(options, address) {
    const operator = operatorFor(configFile(options), options['project'] as string | undefined, process.env);
    const [mailboxes, stopped] = await Promise.all([
      watchMailboxes(operator, address),
      stoppedFunctions(operator, options['prefix'] as string | undefined),
    ]);
    const sends = 'unknown' in stopped || stopped.functions.length === 0;
    return {
      data: { mailboxes, stopped },
      text: [watchTable(mailboxes), ...stoppedLines(stopped)].join('\n'),
      exitCode: sends && mailboxes.every(({ ok }) => ok) ? 0 : 1,
    };
  },
};
