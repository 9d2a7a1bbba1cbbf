import type { DeployCheck } from './deploy-steps.ts';
import type { Programs } from './program.ts';

/** What a look found. */
export interface CheckResult {
  readonly name: string;
  /** null: it could not be told, or it is not needed to go on. */
  readonly ok: boolean | null;
  readonly fix?: string;
}

/** Looks; changes nothing. */
export async function runCheck({ name, argv, secret, must, well, fix }: DeployCheck, programs: Programs): Promise<CheckResult> {
  const ended = await programs(argv, secret ? 'hide' : 'read');
  if (well(ended)) return { name, ok: true };
  return { name, ok: must || ended.status === 0 ? false : null, fix };
}
