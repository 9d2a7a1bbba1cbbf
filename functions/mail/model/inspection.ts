import type { FailureCode } from './failure.ts';

/** One thing that was looked at. `ok` is null where it cannot be told, for example because the scope does not allow the look. */
export interface Finding {
  readonly check: 'grant' | 'token' | 'scope' | 'account' | 'aliases';
  readonly ok: boolean | null;
  readonly code: FailureCode | null;
  readonly detail: string;
}

/** Whether a mailbox can send right now, found out without sending. */
export interface Inspection {
  readonly address: string;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
}

/** A mailbox is well if nothing that was looked at is wrong. */
export const inspectionOf = (address: string, findings: readonly Finding[]): Inspection => ({
  address,
  findings,
  ok: findings.every(({ ok }) => ok !== false),
});
