import { planAndApply } from './apply-plan.ts';
import type { DeployPorts } from './deploy-ports.ts';
import { checksFor, type DeployStep, type DeployTarget, readOutputs, stepsFor } from './deploy-steps.ts';
import { type ProgramResult, type Programs, shownCommand } from './program.ts';
import type { Review } from './review-plan.ts';
import { type CheckResult, runCheck } from './run-check.ts';
import type { Smoked } from './smoke-command.ts';

/** The changes of a plan that a deployment reports. */
export type Changes = Pick<Review, 'create' | 'update' | 'imported' | 'gone' | 'words'>;

/** How far a deployment came; `stopped` says why it stopped, null if it finished. */
export interface Deployed {
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  readonly commands: readonly string[];
  readonly changes: Changes | null;
  readonly applied: boolean;
  readonly urls: Readonly<Record<string, string>>;
  readonly smoke: Smoked | null;
  readonly next: readonly string[];
  readonly stopped: { readonly at: string; readonly fix: string } | null;
}

const NOTHING: Deployed = {
  ok: false,
  checks: [],
  commands: [],
  changes: null,
  applied: false,
  urls: {},
  smoke: null,
  next: [],
  stopped: null,
};

/** Checks everything that a deployment needs, and changes nothing. */
export async function checkDeployment(target: DeployTarget, programs: Programs): Promise<CheckResult[]> {
  const looked: CheckResult[] = [];
  for (const check of checksFor(target)) {
    const blocked = check.needs !== undefined && looked.find(({ name }) => name === check.needs)?.ok !== true;
    looked.push(blocked ? { name: check.name, ok: null, fix: `first ${check.needs}` } : await runCheck(check, programs));
  }
  return looked;
}

/**
 * Checks, builds, plans, shows, asks, applies that plan, and sends an email. Everything that changes something is a command of
 * stepsFor.
 */
export async function deploy(target: DeployTarget, ports: DeployPorts, dryRun: boolean): Promise<Deployed> {
  const { programs, say } = ports;
  const steps = stepsFor(target);
  const checks = await checkDeployment(target, programs);
  const so: Deployed = { ...NOTHING, checks, commands: steps.map(({ argv }) => shownCommand(argv)) };
  const wrong = checks.find(({ ok }) => ok === false);
  if (wrong) return { ...so, stopped: { at: wrong.name, fix: wrong.fix ?? '' } };
  if (dryRun) return { ...so, ok: true };

  for (const { file, sha256 } of await ports.build()) say(`${file}  sha256 ${sha256}`);
  const step = async (
    id: DeployStep['id'],
    how: 'read' | 'show' | 'tee' = 'show',
  ): Promise<ProgramResult & { failed: Deployed['stopped'] }> => {
    let ended: ProgramResult = { status: 0, stdout: '' };
    for (const { title, argv, unless } of steps.filter((one) => one.id === id)) {
      if (unless && (await programs(unless, 'read')).status === 0) continue;
      if (how !== 'read') say(`\n== ${title}\n$ ${shownCommand(argv)}`);
      ended = await programs(argv, how);
      const fine = ended.status === 0 || (id === 'plan' && ended.status === 2);
      if (!fine) return { ...ended, failed: { at: shownCommand(argv), fix: FIX[id] ?? AGAIN } };
    }
    return { ...ended, failed: null };
  };

  for (const id of ['apis', 'agents', 'bucket', 'versions', 'init'] as const) {
    const { failed } = await step(id);
    if (failed) return { ...so, stopped: failed };
  }
  const { review, applied, checks: found, stopped: at } = await planAndApply(step, ports, target);
  const changes: Changes = review ?? { create: 0, update: 0, imported: 0, gone: [], words: {} };
  const reached: Deployed = { ...so, checks: [...checks, ...found], changes: changesOf(changes), applied };
  if (at) return { ...reached, stopped: at };
  const output = await step('output', 'read');
  if (output.failed) return { ...reached, stopped: output.failed };
  const made = readOutputs(output.stdout);
  const { urls, next } = made;
  say('\n== send an email to oneself');
  const smoke = await ports.smoke(made);
  // The mailbox has no grant yet, or the check failed: that is a next step, not a failure of the deployment.
  const sendsLater = smoke.code === 'grant_missing' || smoke.state === 'not looked';
  const stopped = smoke.ok || sendsLater ? null : { at: 'the email to oneself', fix: smoke.fix ?? '' };
  return { ...reached, ok: stopped === null, urls, smoke, next: smoke.ok ? [] : next, stopped };
}

const changesOf = ({ create, update, imported, gone, words }: Changes): Changes => ({ create, update, imported, gone, words });

const AGAIN = 'Read what it printed above, fix it, and run the same command again: it goes on where it stopped.';
const FIX: Partial<Record<DeployStep['id'], string>> = {
  apis: 'You need roles/serviceusage.serviceUsageAdmin in the project (roles/owner for a first deployment), and billing.',
  agents: 'gcloud components install beta, then run it again.',
  bucket: 'The name is taken or you may not make buckets: give a bucket of yours by --state-bucket NAME.',
};
