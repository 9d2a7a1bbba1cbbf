import type { Address } from '../model/address.ts';
import { isKey } from '../model/caller.ts';
import type { Caller, Config } from '../model/config.ts';
import type { Tag } from '../model/email-event.ts';
import { MailFailure } from '../model/failure.ts';
import { loadFiles } from './attachments.ts';
import { compose } from './compose.ts';
import { type EmailFields, fingerprint, parseRequest, RESEND_RECIPIENTS_MAX } from './email.ts';
import type { MessagePorts } from './message-ports.ts';
import type { MimeMessage, Stamp } from './mime-message.ts';
import { authorise, checkRecipients, GMAIL_RECIPIENTS_MAX } from './permissions.ts';
import { AHEAD_MAX_MS, TIME_FORMAT, timeOf } from './scheduled-at.ts';
import { resolveSender, type Sender } from './sender.ts';

/** A checked email that may be sent, requested as fields or as a raw message. */
export interface PreparedEmail {
  readonly sender: Sender;
  readonly recipients: readonly Address[];
  /** The same by field; absent for a raw message, whose envelope names them. */
  readonly named?: Readonly<Record<'to' | 'cc' | 'bcc', readonly Address[]>>;
  /** Hash of the request: equal for equal requests. */
  readonly requestHash: string;
  /** Absent for none. */
  readonly tags?: readonly Tag[];
  /** Send time in milliseconds since the epoch; null for now. */
  readonly dueAt: number | null;
  /** True for an email without files and without a caller's own bytes: composing it takes a millisecond. */
  readonly textOnly: boolean;
  /** Composes the MIME message; the same stamp gives the same bytes. */
  compose(stamp: Stamp, ports: Pick<MessagePorts, 'fetchFile'>): Promise<MimeMessage>;
  /** The request as it is stored in a queue message. */
  content(): QueuedContent;
}

/** Checks an email in the form of Resend's `POST /emails` against what its caller may do. Throws MailFailure. */
export function prepareEmail(
  body: unknown,
  caller: Caller,
  config: Config,
  ports: Pick<MessagePorts, 'digest' | 'now' | 'taskQueue'>,
): PreparedEmail {
  // The limit of addresses in one field belongs to Resend's API: for events and Pub/Sub messages only Gmail's limit applies.
  const perField = isKey(caller.id, config) ? RESEND_RECIPIENTS_MAX : GMAIL_RECIPIENTS_MAX;
  const request = parseRequest(body, config.attachments?.fetchFrom, ports.taskQueue !== null, undefined, perField);
  return prepareFields(request, body, caller, config, ports);
}

/** As `prepareEmail`, for fields that were read from `body` in another form. Throws MailFailure. */
export function prepareFields(
  request: EmailFields,
  body: unknown,
  caller: Caller,
  config: Config,
  ports: Pick<MessagePorts, 'digest' | 'now'>,
): PreparedEmail {
  authorise(caller, request);
  const sender = resolveSender(config, request.from);
  const recipients = [...request.to, ...request.cc, ...request.bcc];
  checkRecipients(recipients, sender.mailbox);
  return {
    sender,
    recipients,
    named: request,
    requestHash: fingerprint(request, ports.digest),
    ...(request.tags && { tags: request.tags }),
    dueAt: request.scheduledAt === undefined ? null : dueAt(request.scheduledAt, ports.now()),
    textOnly: request.attachments.length === 0,
    compose: async (stamp, { fetchFile }) =>
      compose({ ...request, attachments: await loadFiles(request.attachments, fetchFile) }, sender, stamp),
    content: () => ({ form: 'mail', data: textOf(body) }),
  };
}

/**
 * The email as stored in a queue message: without its time, which its caller can still change in the ledger, and with every file
 * in base64.
 */
function textOf(body: unknown): string {
  return JSON.stringify(
    { ...(body as object), scheduled_at: undefined, scheduledAt: undefined },
    function (this: Readonly<Record<string, unknown>>, name: string, value: unknown) {
      const given = this[name]; // the value before Buffer's own toJSON
      return given instanceof Uint8Array ? Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString('base64') : value;
    },
  );
}

/** The send time of an email; null for now and for a time in the past. Throws MailFailure: request_invalid. */
export function dueAt(text: string, now: number): number | null {
  const time = timeOf(text, now);
  if (time === null) throw new MailFailure('request_invalid', `Invalid \`scheduled_at\` field: ${TIME_FORMAT}`);
  if (time > now + AHEAD_MAX_MS)
    throw new MailFailure('request_invalid', 'Invalid `scheduled_at` field: an email can be scheduled for the next 30 days.');
  return time > now ? time : null;
}

/** The request as stored in a queue message: an email in the shape of `POST /emails`, or a raw message with its envelope. */
export interface QueuedContent {
  readonly form: 'mail' | 'raw';
  /** JSON text. */
  readonly data: string;
}
