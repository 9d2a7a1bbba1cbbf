import type { FailureCode } from './failure.ts';

/** One check of a mailbox. `ok` is null where the check cannot decide, for example because the scope does not allow it. */
export interface Finding {
  readonly check: 'grant' | 'token' | 'scope' | 'account' | 'aliases' | 'bounces';
  readonly ok: boolean | null;
  readonly code: FailureCode | null;
  readonly detail: string;
}

/** Whether a mailbox can send now, found out without sending. */
export interface Inspection {
  readonly address: string;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

/** A mailbox is fine if no check failed. */
export const inspectionOf = (address: string, findings: readonly Finding[]): Inspection => ({
  address,
  findings,
  ok: findings.every(({ ok }) => ok !== false),
});
