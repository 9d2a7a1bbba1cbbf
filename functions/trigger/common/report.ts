import { knownOf } from '../../diagnose/known-failures.ts';
import { isTaken, type Outcome } from '../../mail/delivery/outcome.ts';
import { failureInfo, fieldsIn, type MailFailure } from '../../mail/model/failure.ts';
import type { ProcessedMessage } from '../../mail/queue/process-message.ts';
import type { Log, Severity } from '../../runtime/log.ts';

type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

const SEVERITY: Readonly<Record<Outcome['state'], Severity>> = {
  sent: 'INFO',
  queued: 'INFO',
  canceled: 'INFO',
  retry: 'WARNING',
  parked: 'WARNING',
  failed: 'ERROR',
  unknown: 'ERROR',
};

/** Logs how a mail ended: one line a mail, with code and fix where it did not go out. */
export function reportOutcome(log: Log, outcome: Outcome, facts: Facts): void {
  const { state, id, unrecorded, repeated } = outcome;
  const failure = isTaken(outcome) ? {} : describe(outcome.failure);
  const rejected = outcome.state === 'sent' ? (outcome.rejected ?? 0) : 0;
  log(rejected > 0 ? 'WARNING' : SEVERITY[state], 'mail', {
    id,
    outcome: state,
    ...failure,
    ...(rejected > 0 && { rejected }),
    ...(unrecorded && { unrecorded }),
    ...(repeated && { repeated }),
    ...facts,
  });
}

/** Logs what came of a delivery, under the name of whoever asked for the mail. */
export function reportProcessedMessage(log: Log, { outcome, failure, caller, acknowledged }: ProcessedMessage, facts: Facts): void {
  const told = { ...facts, caller, acknowledged };
  if (outcome) reportOutcome(log, outcome, told);
  if (failure) reportRefusal(log, failure, told);
}

/** Logs an order that never became a mail; the caller's own mistakes are no errors of ours. */
export function reportRefusal(log: Log, failure: MailFailure, facts: Facts): void {
  const { blame } = failureInfo(failure.code);
  log(blame === 'caller' ? 'INFO' : 'ERROR', 'refused', { ...describe(failure), ...facts });
}

function describe(failure: MailFailure): Facts {
  const { code, message } = failure;
  const { blame, fix, retry } = failureInfo(code);
  const fields = blame === 'caller' ? fieldsIn(failure) : '';
  const { catalogue, cause } = knownOf(code);
  // A caller's detail may hold the caller's own text, such as the name of a header: the log has the names of our fields alone.
  return {
    code,
    ...(blame !== 'caller' && { detail: message }),
    ...(fields !== '' && { fields }),
    ...(cause && { catalogue, cause }),
    retry,
    fix,
  };
}
