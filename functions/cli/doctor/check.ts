/** What a check found. `ok` is null where it could not be told; then `detail` says why. */
export interface CheckFinding {
  readonly check: string;
  readonly ok: boolean | null;
  readonly detail: string;
  /** Failure code or cause of the catalogue; null where all is well. */
  readonly cause: string | null;
  /** Steps in order. */
  readonly fix: readonly string[];
}

/** One look at something. It is left out, and said so, while a check it needs is wrong. */
export interface DoctorCheck {
  readonly name: string;
  readonly needs?: readonly string[];
  run(): Promise<CheckFinding | readonly CheckFinding[]>;
}

export const passed = (check: string, detail: string): CheckFinding => ({ check, ok: true, detail, cause: null, fix: [] });
export const failed = (check: string, cause: string, detail: string, ...fix: string[]): CheckFinding => ({
  check,
  ok: false,
  detail,
  cause,
  fix,
});
export const unclear = (check: string, detail: string, ...fix: string[]): CheckFinding => ({ check, ok: null, detail, cause: null, fix });

/**
 * Runs every check, those that need nothing of each other at once, and answers all that was found, in the order of the
 * checks; `tell` hears each as it comes. Never throws: a check that breaks is a finding too.
 */
export async function runChecks(checks: readonly DoctorCheck[], tell: (found: CheckFinding) => void = () => {}): Promise<CheckFinding[]> {
  const running = new Map<string, Promise<readonly CheckFinding[]>>();
  const run = async ({ name, needs = [], run }: DoctorCheck): Promise<readonly CheckFinding[]> => {
    for (const need of needs) {
      const before = await running.get(need);
      if (before?.some(({ ok }) => ok === false)) return [unclear(name, `not looked at: ${need} is wrong`)];
    }
    const found = await run().catch((error: unknown) =>
      failed(name, 'unexpected', error instanceof Error ? error.name : 'error', 'Run it again; if it stays, report it with this line.'),
    );
    return [found].flat();
  };
  for (const check of checks) {
    const found = run(check).then((all) => {
      for (const one of all) tell(one);
      return all;
    });
    running.set(check.name, found);
  }
  return (await Promise.all(running.values())).flat();
}
