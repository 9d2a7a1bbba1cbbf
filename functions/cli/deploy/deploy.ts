import type { Archive } from './archive.ts';
import {
  type Changes,
  type Check,
  checksFor,
  type Made,
  readChanges,
  readOutputs,
  type Step,
  stepsFor,
  type Target,
} from './deploy-steps.ts';
import { type ProgramResult, type Programs, shown } from './program.ts';
import type { Smoked } from './smoke-command.ts';

/** What a deployment asks of the world. */
export interface DeployPorts {
  readonly programs: Programs;
  /** Bundles and packs the functions. Throws ConfigProblems. */
  build(): Promise<readonly Archive[]>;
  say(line: string): void;
  /** True to go on. */
  confirm(question: string): Promise<boolean>;
  /** Through what was made, whatever the environment says of another deployment. */
  smoke(made: Made): Promise<Smoked>;
}

export interface CheckResult {
  readonly name: string;
  /** null: it could not be told, or it is not needed to go on. */
  readonly ok: boolean | null;
  readonly fix?: string;
}

/** How far a deployment came; `stopped` says why it went no further, null if it went all the way. */
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

/** Looks at everything that a deployment needs, and changes nothing. */
export async function look(target: Target, programs: Programs): Promise<CheckResult[]> {
  const looked: CheckResult[] = [];
  for (const check of checksFor(target)) {
    const blocked = check.needs !== undefined && looked.find(({ name }) => name === check.needs)?.ok !== true;
    looked.push(blocked ? { name: check.name, ok: null, fix: `first ${check.needs}` } : await one(check, programs));
  }
  return looked;
}

async function one({ name, argv, secret, must, well, fix }: Check, programs: Programs): Promise<CheckResult> {
  const ended = await programs(argv, secret ? 'hide' : 'read');
  if (well(ended)) return { name, ok: true };
  return { name, ok: must || ended.status === 0 ? false : null, fix };
}

/** Checks, builds, plans, shows, asks, applies that plan, and sends a mail. Everything that acts is a command of stepsFor. */
export async function deploy(target: Target, yard: DeployPorts, dryRun: boolean): Promise<Deployed> {
  const { programs, say } = yard;
  const steps = stepsFor(target);
  const checks = await look(target, programs);
  const so: Deployed = { ...NOTHING, checks, commands: steps.map(({ argv }) => shown(argv)) };
  const wrong = checks.find(({ ok }) => ok === false);
  if (wrong) return { ...so, stopped: { at: wrong.name, fix: wrong.fix ?? '' } };
  if (dryRun) return { ...so, ok: true };

  for (const { file, sha256 } of await yard.build()) say(`${file}  sha256 ${sha256}`);
  const step = async (id: Step['id'], how: 'read' | 'show' = 'show'): Promise<ProgramResult & { failed: Deployed | null }> => {
    let ended: ProgramResult = { status: 0, stdout: '' };
    for (const { title, argv, unless } of steps.filter((one) => one.id === id)) {
      if (unless && (await programs(unless, 'read')).status === 0) continue;
      if (how === 'show') say(`\n== ${title}\n$ ${shown(argv)}`);
      ended = await programs(argv, how);
      const fine = ended.status === 0 || (id === 'plan' && ended.status === 2);
      if (!fine) return { ...ended, failed: { ...so, stopped: { at: shown(argv), fix: FIX[id] ?? AGAIN } } };
    }
    return { ...ended, failed: null };
  };

  for (const id of ['apis', 'agents', 'bucket', 'versions', 'init'] as const) {
    const { failed } = await step(id);
    if (failed) return failed;
  }
  const planned = await step('plan');
  if (planned.failed) return planned.failed;
  let applied = false;
  let changes: Changes = { create: 0, update: 0, gone: [] };
  if (planned.status === 2) {
    const plan = await step('show', 'read');
    if (plan.failed) return plan.failed;
    changes = readChanges(plan.stdout);
    if (!(await yard.confirm(`\n${changesText(changes)}\nApply this plan?`)))
      return { ...so, changes, stopped: { at: 'the question', fix: 'Answer y, or say --yes where nobody can be asked.' } };
    const { failed } = await step('apply');
    if (failed) return { ...failed, changes };
    applied = true;
  }
  const output = await step('output', 'read');
  if (output.failed) return { ...output.failed, changes, applied };
  const made = readOutputs(output.stdout);
  const { urls, next } = made;
  say('\n== send a mail to oneself');
  const smoke = await yard.smoke(made);
  // Nobody has consented yet: that is the next step, not a failure.
  const young = smoke.code === 'grant_missing';
  const stopped = smoke.ok || young ? null : { at: 'the mail to oneself', fix: smoke.fix ?? '' };
  return { ...so, ok: stopped === null, changes, applied, urls, smoke, next: smoke.ok ? [] : next, stopped };
}

const AGAIN = 'Read what it printed above, mend it, and run the same command again: it goes on where it stopped.';
const FIX: Partial<Record<Step['id'], string>> = {
  apis: 'You need roles/serviceusage.serviceUsageAdmin in the project (roles/owner for a first deployment), and billing.',
  agents: 'gcloud components install beta, then run it again.',
  bucket: 'The name is taken or you may not make buckets: give a bucket of yours by --state-bucket NAME.',
  apply: `${AGAIN} An API, an agent or a right that is a moment old can take minutes to be known everywhere.`,
};

const changesText = ({ create, update, gone }: Changes): string =>
  [`${create} to create, ${update} to change, ${gone.length} to destroy.`, ...gone.map((address) => `  destroys ${address}`)].join('\n');
