import { knownOf } from '../../diagnose/known-failures.ts';
import { isAccepted, type Outcome } from '../../mail/delivery/outcome.ts';
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

/** Logs the outcome of an email: one line per email, with code and fix if it was not sent. */
export function reportOutcome(log: Log, outcome: Outcome, facts: Facts): void {
  const { state, id, unrecorded, repeated } = outcome;
  const failure = isAccepted(outcome) ? {} : describe(outcome.failure);
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

/** Logs the result of a delivery, under the id of the caller. */
export function reportProcessedMessage(log: Log, { outcome, failure, caller, acknowledged }: ProcessedMessage, facts: Facts): void {
  const told = { ...facts, caller, acknowledged };
  if (outcome) reportOutcome(log, outcome, told);
  if (failure) reportRefusal(log, failure, told);
}

/** Logs a request that became no email. A caller's mistake has a lower severity than an error of ours. */
export function reportRefusal(log: Log, failure: MailFailure, facts: Facts): void {
  const { blame } = failureInfo(failure.code);
  const severity = failure.code === 'stopped' ? 'WARNING' : blame === 'caller' ? 'INFO' : 'ERROR'; // an operator asked for it, so it is no error
  log(severity, 'refused', { ...describe(failure), ...facts });
}

function describe(failure: MailFailure): Facts {
  const { code, message } = failure;
  const { blame, fix, retry } = failureInfo(code);
  const fields = blame === 'caller' ? fieldsIn(failure) : '';
  const { catalogue, cause } = knownOf(code);
  // A failure's detail may hold text of the caller, such as a header name. The log therefore has only the names of our own fields.
  return {
    code,
    ...(blame !== 'caller' && { detail: message }),
    ...(fields !== '' && { fields }),
    ...(cause && { catalogue, cause }),
    retry,
    fix,
  };
}
