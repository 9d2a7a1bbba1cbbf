import type { Entry, State } from '../../mail/delivery/ledger.ts';
import { type FailureCode, failureInfo } from '../../mail/model/failure.ts';

// Resend's `last_event` is a closed list; a client throws for any other word.
const LAST_EVENT: Readonly<Record<State, 'queued' | 'scheduled' | 'sent' | 'failed' | 'delivery_delayed' | 'canceled'>> = {
  queued: 'queued',
  scheduled: 'scheduled',
  canceled: 'canceled',
  claimed: 'queued',
  sending: 'queued',
  waiting: 'delivery_delayed',
  parked: 'delivery_delayed',
  unknown: 'delivery_delayed',
  failed: 'failed',
  sent: 'sent',
};

// In our own words; null while somebody works on it.
const OUTCOME: Readonly<Record<State, string | null>> = {
  queued: 'queued',
  scheduled: 'queued',
  canceled: 'canceled',
  claimed: null,
  sending: null,
  waiting: 'retry',
  parked: 'parked',
  unknown: 'unknown',
  failed: 'failed',
  sent: 'sent',
};

/**
 * What the ledger knows of a mail, in the form of Resend's email object. Content was never kept, and addresses only as
 * hashes: those fields are empty, in the types that strict clients demand.
 */
export function recordOf({
  id,
  state,
  acceptedAt,
  attempts,
  gmailId,
  code,
  fields,
  notBefore,
  scheduledAt,
  rejected = 0,
}: Entry): Record<string, unknown> {
  return {
    object: 'email',
    id,
    created_at: new Date(acceptedAt).toISOString().replace('T', ' ').replace('Z', '000+00'),
    last_event: LAST_EVENT[state],
    from: '',
    to: [],
    cc: null,
    bcc: null,
    reply_to: null,
    subject: '',
    html: null,
    text: null,
    scheduled_at: scheduledAt === undefined ? null : new Date(scheduledAt).toISOString(),
    outcome: OUTCOME[state],
    attempts,
    gmail_id: gmailId,
    rejected,
    code,
    ...(fields !== undefined && { fields }),
    fix: code === null ? null : failureInfo(code as FailureCode).fix,
    not_before: notBefore === null ? null : new Date(notBefore).toISOString(),
  };
}
