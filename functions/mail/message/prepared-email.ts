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
  /** Fingerprint of what was asked for: equal for equal orders. */
  readonly requestHash: string;
  /** Absent for none. */
  readonly tags?: readonly Tag[];
  /** Send time in milliseconds since the epoch; null for now. */
  readonly dueAt: number | null;
  /** Whether it has no files and no bytes of its caller's own: it is composed in a millisecond, as often as one likes. */
  readonly textOnly: boolean;
  /** Composes the MIME message; the same stamp gives the same bytes. */
  compose(stamp: Stamp, ports: Pick<MessagePorts, 'fetchFile'>): Promise<MimeMessage>;
  /** What was asked for, as it travels to a worker. */
  content(): QueuedContent;
}

/** Checks an email in the shape of Resend's `POST /emails` against what its caller may do. Throws MailFailure. */
export function prepareEmail(
  body: unknown,
  caller: Caller,
  config: Config,
  ports: Pick<MessagePorts, 'digest' | 'now' | 'taskQueue'>,
): PreparedEmail {
  // Resend's limit of addresses in one field is of its API: events and Pub/Sub messages have Gmail's alone.
  const perField = isKey(caller.id, config) ? RESEND_RECIPIENTS_MAX : GMAIL_RECIPIENTS_MAX;
  const request = parseRequest(body, config.attachments?.fetchFrom, ports.taskQueue !== null, undefined, perField);
  return prepareFields(request, body, caller, config, ports);
}

/** The same for an email that was read from `body` in another form. Throws MailFailure. */
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
    requestHash: fingerprint(request, ports.digest),
    ...(request.tags && { tags: request.tags }),
    dueAt: request.scheduledAt === undefined ? null : dueAt(request.scheduledAt, ports.now()),
    textOnly: request.attachments.length === 0,
    compose: async (stamp, { fetchFile }) =>
      compose({ ...request, attachments: await loadFiles(request.attachments, fetchFile) }, sender, stamp),
    content: () => ({ form: 'mail', data: textOf(body) }),
  };
}

/** The email as it travels: without its time, which its caller can still move in the ledger, and with every file in base64. */
function textOf(body: unknown): string {
  return JSON.stringify(
    { ...(body as object), scheduled_at: undefined, scheduledAt: undefined },
    function (this: Readonly<Record<string, unknown>>, name: string, value: unknown) {
      const given = this[name]; // what it was before a Buffer's own toJSON
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
