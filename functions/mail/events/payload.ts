import type { Entry } from '../delivery/ledger.ts';
import type { EmailEvent, EventTarget } from '../model/email-event.ts';
import { type FailureCode, failureInfo } from '../model/failure.ts';

/**
 * An event in the form of Resend's webhooks, without content: subject and message id are empty strings, since strict clients
 * require the fields. The addresses are empty too, unless the target has `addresses: true`.
 */
export function payloadOf(event: EmailEvent, entry: Entry, target: Pick<EventTarget, 'addresses'>) {
  const { type, at, code, notBefore, rejected, bounce } = event;
  const { fix, summary } = code === undefined ? { fix: null, summary: '' } : failureInfo(code as FailureCode);
  return {
    type,
    created_at: timeOf(at),
    data: {
      email_id: entry.id,
      created_at: timeOf(entry.acceptedAt),
      message_id: '',
      from: target.addresses ? entry.mailbox : '',
      to: target.addresses ? entry.recipients : [],
      subject: '',
      tags: Object.fromEntries((entry.tags ?? []).map(({ name, value }) => [name, value])),
      code: code ?? null,
      fix,
      ...(notBefore !== undefined && { not_before: timeOf(notBefore) }),
      ...(rejected !== undefined && { rejected }),
      ...(type === 'email.failed' && { failed: { reason: code ?? '' } }),
      ...(type === 'email.suppressed' && { suppressed: { message: summary, type: 'OnAccountSuppressionList' } }),
      ...(bounce && { bounce: { ...bounce, message: BOUNCES[bounce.type] } }),
    },
  };
}

const BOUNCES = {
  Permanent: 'The recipient’s server refused the email for good.',
  Transient: 'The email came back, for a reason that may pass.',
  Undetermined: 'A report about the email came back, which does not say what became of it.',
} as const;

const timeOf = (ms: number): string => new Date(ms).toISOString();
