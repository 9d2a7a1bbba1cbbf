import type { DeployPorts } from './deploy-ports.ts';
import type { DeployTarget } from './deploy-steps.ts';
import { checksOfPlan, leftoverLists, notesOf, takeOverExisting } from './plan-checks.ts';
import type { ProgramResult } from './program.ts';
import { isTheRestOf, type Review, reviewPlan, reviewText } from './review-plan.ts';
import { type CheckResult, runCheck } from './run-check.ts';
import { knownFix, waitReason } from './young-project.ts';

type Stopped = { readonly at: string; readonly fix: string };

/** How far planning and applying came; `review` is of the last plan, null where none was made. */
export interface Applied {
  readonly review: Review | null;
  readonly applied: boolean;
  readonly checks: readonly CheckResult[];
  readonly stopped: Stopped | null;
}

/** Runs one step of a deployment by its id; returns its output, and its name for a failure. */
export type RunStep = (id: 'plan' | 'show' | 'apply', how: 'read' | 'tee') => Promise<ProgramResult & { readonly failed: Stopped | null }>;

const AGAIN = 2;
const WAIT_MS = 90_000;

/**
 * Plans, imports what an earlier deployment left, checks what the plan needs, asks, and applies. If an apply fails with an error
 * that passes in a young project, the plan is made again and applied under the same consent, as long as the new plan does no more
 * than the old.
 */
export async function planAndApply(step: RunStep, ports: DeployPorts, { project }: DeployTarget): Promise<Applied> {
  let consented: Review | null = null;
  let review: Review | null = null;
  let checks: readonly CheckResult[] = [];
  const stop = (stopped: Stopped): Applied => ({ review, applied: false, checks, stopped });
  const wait = async (printed: string, again: number): Promise<boolean> => {
    const reason = waitReason(printed);
    if (reason === null || again >= AGAIN) return false;
    ports.say(`\nThis is usual in a young project: ${reason}. Google takes a minute or two until that is known everywhere.`);
    ports.say(`It plans anew in ${WAIT_MS / 1_000} seconds and goes on where it stopped (${again + 1} of ${AGAIN}).`);
    await ports.wait(WAIT_MS);
    return true;
  };

  for (let again = 0; ; again++) {
    const planned = await plan(step);
    if (planned.failed) {
      if (await wait(planned.printed, again)) continue;
      return stop({ ...planned.failed, fix: knownFix(planned.printed) ?? planned.failed.fix });
    }
    review = planned.review;
    if (review === null) return { review: consented, applied: consented !== null, checks, stopped: null };
    const taken = await takeOverLeftovers(review, step, ports, project);
    if (taken.stopped) return stop(taken.stopped);
    review = taken.review;
    if (consented === null) {
      checks = await Promise.all(checksOfPlan(review, project).map((one) => runCheck(one, ports.programs)));
      const wrong = checks.find(({ ok }) => ok === false);
      if (wrong) return stop({ at: wrong.name, fix: wrong.fix ?? '' });
    }
    if (review.refused) return stop({ at: 'the plan', fix: review.refused });
    const unclear = checks.filter(({ ok }) => ok === null).map(({ name, fix }) => `Unclear: ${name}: ${fix}`);
    const waiting = consented ? [] : (await ports.waiting()).map((one) => `Waiting: ${one}`);
    const shown = [reviewText(review), ...(consented ? [] : [...notesOf(review), ...unclear, ...waiting])].join('\n');
    if (consented !== null && isTheRestOf(consented, review)) ports.say(`\n${shown}\nThis is the rest of what you consented to.`);
    else if (!(await ports.confirm(`\n${shown}\nApply this plan?`)))
      return stop({ at: 'the question', fix: 'Answer y, or say --yes where nobody can be asked.' });
    consented ??= review;
    const ended = await step('apply', 'tee');
    if (!ended.failed) return { review: consented, applied: true, checks, stopped: null };
    if (await wait(ended.stdout, again)) continue;
    return stop({ ...ended.failed, fix: knownFix(ended.stdout) ?? ended.failed.fix });
  }
}

/** A plan and its effects; `review` is null where there is nothing to do. */
async function plan(step: RunStep): Promise<{ readonly review: Review | null; readonly failed: Stopped | null; readonly printed: string }> {
  const { status, stdout, failed } = await step('plan', 'tee');
  if (failed || status !== 2) return { review: null, failed, printed: stdout };
  const shown = await step('show', 'read');
  return { review: shown.failed ? null : reviewPlan(shown.stdout), failed: shown.failed, printed: stdout };
}

/** A database and secrets outlive a destroy: where the plan would create them and Google would refuse, they are imported. */
async function takeOverLeftovers(
  review: Review,
  step: RunStep,
  ports: DeployPorts,
  project: string,
): Promise<{ readonly review: Review; readonly stopped: Stopped | null }> {
  const lists = leftoverLists(review, project);
  const [databases, secrets] = await Promise.all(
    [lists.databases, lists.secrets].map((argv) => (argv ? ports.programs(argv, 'read') : null)),
  );
  const { imports, wrong } = takeOverExisting(review, project, databases?.stdout ?? '', secrets?.stdout ?? '');
  if (wrong) return { review, stopped: { at: 'the database', fix: wrong } };
  if (imports === '') return { review, stopped: null };
  ports.say('\nSome of it is there from an earlier deployment, and is taken over.');
  ports.writeImports(imports);
  try {
    const again = await plan(step);
    return { review: again.review ?? review, stopped: again.failed };
  } finally {
    ports.writeImports('');
  }
}
