import type { Entry, State } from '../../mail/delivery/ledger.ts';
import type { Bounce } from '../../mail/model/email-event.ts';
import { type FailureCode, failureInfo } from '../../mail/model/failure.ts';

// Resend's `last_event` is a closed list; some clients throw for any other value.
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

// mailgrant's own state; null while an invocation holds the lease.
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
 * A ledger entry in the form of Resend's email object. The ledger has no content and only hashes of addresses, so those fields
 * are empty values of the types that strict clients need.
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
  tags = [],
  lastEvent,
  bounces = [],
}: Entry): Record<string, unknown> {
  return {
    object: 'email',
    id,
    created_at: new Date(acceptedAt).toISOString().replace('T', ' ').replace('Z', '000+00'),
    last_event: lastEvent ?? (code === 'recipient_suppressed' ? 'suppressed' : LAST_EVENT[state]),
    from: '',
    to: [],
    cc: null,
    bcc: null,
    reply_to: null,
    subject: '',
    html: null,
    text: null,
    scheduled_at: scheduledAt === undefined ? null : new Date(scheduledAt).toISOString(),
    tags,
    outcome: OUTCOME[state],
    attempts,
    gmail_id: gmailId,
    rejected,
    bounce: bounceOf(bounces),
    code,
    ...(fields !== undefined && { fields }),
    fix: code === null ? null : failureInfo(code as FailureCode).fix,
    not_before: notBefore === null ? null : new Date(notBefore).toISOString(),
  };
}

/** The last bounce, in the words of the event that told it; null for none. */
function bounceOf(bounces: readonly Bounce[]): Record<string, unknown> | null {
  const last = bounces.at(-1);
  return last ? { type: last.type, subType: last.subType, at: new Date(last.at).toISOString() } : null;
}
