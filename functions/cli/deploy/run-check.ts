import type { DeployCheck } from './deploy-steps.ts';
import type { Programs } from './program.ts';

/** The result of a check. */
export interface CheckResult {
  readonly name: string;
  /** null: it could not be determined, or is not needed. */
  readonly ok: boolean | null;
  readonly fix?: string;
}

/** Runs a check; changes nothing. */
export async function runCheck({ name, argv, secret, must, well, fix }: DeployCheck, programs: Programs): Promise<CheckResult> {
  const ended = await programs(argv, secret ? 'hide' : 'read');
  if (well(ended)) return { name, ok: true };
  return { name, ok: must || ended.status === 0 ? false : null, fix };
}
