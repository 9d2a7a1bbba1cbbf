import { FAILURES, type FailureRow } from './failure-table.ts';

export type FailureCode = keyof typeof FAILURES;

/** Every failure code there is. */
export const FAILURE_CODES = Object.keys(FAILURES) as FailureCode[];

/** The row of the failure table: what a code means and how to fix it. */
export const failureInfo = (code: FailureCode): FailureRow => FAILURES[code];

/**
 * The one error class. `message` is the detail for the operator's log; it names fields, statuses and reasons, and never holds a
 * secret, an address or content of an email. `retryAt` is milliseconds since the epoch, where Google gave a time. `emailId` is
 * the id of the email in the ledger, where that is known.
 */
export class MailFailure extends Error {
  readonly code: FailureCode;
  readonly retryAt: number | null;
  readonly emailId: string | null;

  constructor(code: FailureCode, detail: string, retryAt: number | null = null, emailId: string | null = null) {
    super(detail);
    this.name = 'MailFailure';
    this.code = code;
    this.retryAt = retryAt;
    this.emailId = emailId;
  }
}

/** Any thrown value as a MailFailure; a foreign error keeps only its name, since its message may hold what must not be logged. */
export function toFailure(error: unknown): MailFailure {
  if (error instanceof MailFailure) return error;
  return new MailFailure('unexpected', error instanceof Error ? error.name : typeof error);
}

// Names of request fields, never a caller's own text: the name of a header or a key is left out.
const FIELD =
  /`((?:from|to|cc|bcc|reply_to|replyTo|subject|html|text|headers|attachments|scheduled_at|tags|template|message|categories|(?:to|cc|bcc)Uids|topic_id)(?:\[\d{1,4}\])?(?:\.[a-zA-Z_]{1,30}(?:\[\d{1,4}\])?)*)`/g;

/** The request fields that the failure is about, such as `to, attachments[0].content`; '' where it names none. */
export const fieldsIn = ({ message }: MailFailure): string =>
  [...new Set([...message.matchAll(FIELD)].map(([, name]) => name))].slice(0, 20).join(', ');

/** The sentence that a caller may read: the detail where the request is wrong, else the summary and its fix. */
export function callerMessage(failure: MailFailure): string {
  const { blame, summary, fix } = FAILURES[failure.code];
  return blame === 'caller' ? failure.message || summary : `${summary} ${fix}`;
}
