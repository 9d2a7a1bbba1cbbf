import { type Address, addressProblem, distinct, normaliseAddress, parseAddress } from '../model/address.ts';
import { isEmptyGroup, trimSeparators } from '../model/address-list.ts';
import type { Tag } from '../model/email-event.ts';
import { MailFailure, toFailure } from '../model/failure.ts';
import { lineProblem } from '../model/header-text.ts';
import { type Attachment, foreignFields, isAbsent, parseAttachments } from './attachments.ts';
import { type Header, parseHeaders } from './headers.ts';
import { TIME_FORMAT, timeOf } from './scheduled-at.ts';

/** The checked fields of one requested email: later code does not check them again. */
export interface EmailFields {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  readonly html: string | null;
  /** null: make the text from the html; '': the caller wants no text part. */
  readonly text: string | null;
  readonly headers: readonly Header[];
  readonly attachments: readonly Attachment[];
  /** The requested send time as the caller wrote it; absent for now. */
  readonly scheduledAt?: string;
  /** Stored in the ledger entry; not sent, and not part of the request hash. */
  readonly tags?: readonly Tag[];
}

type Fields = Record<string, unknown>;

/** How many addresses one field may have at `POST /emails`, as in Resend's contract; elsewhere only Gmail's own limit applies. */
export const RESEND_RECIPIENTS_MAX = 50;
/** Every field that is read. Resend's `tags` are kept in the ledger, because Gmail has nothing like them. */
export const EMAIL_FIELDS = [
  'from',
  'to',
  'cc',
  'bcc',
  'reply_to',
  'replyTo',
  'subject',
  'html',
  'text',
  'headers',
  'attachments',
  'scheduled_at',
  'scheduledAt',
  'tags',
] as const;
/** Advice for fields of nodemailer, the Trigger Email extension and Resend's libraries that are not read here. */
export const EMAIL_ADVICE: Readonly<Record<string, string>> = {
  react: 'render it, and send `html`',
  amp: 'leave it out, and `html` is shown',
  watchHtml: 'use `html`',
  raw: 'send a finished message to /v1/raw',
  alternatives: 'use `html`, `text` and a calendar among `attachments`',
  icalEvent: 'use `attachments` with `content_type: "text/calendar; method=REQUEST"`',
  sender: 'the sender is `from`',
  envelope: 'the recipients are `to`, `cc` and `bcc`; /v1/raw takes an envelope',
  messageId: 'mailgrant writes the Message-ID',
  date: 'mailgrant writes the Date; use `scheduled_at` for a later time',
  inReplyTo: 'use `headers` with `In-Reply-To`',
  references: 'use `headers` with `References`',
  list: 'use `headers` with `List-Unsubscribe`, `List-Id` and the like',
  priority: 'use `headers` with `X-Priority` and `Importance`',
  attachDataUrls: 'images that are `data:` addresses become parts of the email by themselves',
  encoding: 'mailgrant chooses it',
  textEncoding: 'mailgrant chooses it',
  dkim: 'Gmail signs',
  dsn: 'Gmail reports by a bounce to the mailbox',
  message: 'use `subject`, `html` and `text`',
  toUids: 'use `to`; uids are read in documents',
  ccUids: 'use `cc`; uids are read in documents',
  bccUids: 'use `bcc`; uids are read in documents',
};
// Resend accepts these fields. Ignoring them would send an email that the caller did not write.
const NOT_SERVED: Readonly<Record<string, string>> = {
  template: ': send `html`; a template of config/templates is served in a request to /emails or /emails/batch, and in documents',
  topic_id: '',
};

/**
 * Reads an email in the form of Resend's `POST /emails`. The failure names every problem at once. `hosts` are those that
 * attachments may be fetched from; `later` says whether emails can be scheduled; `perField` is how many addresses a field may
 * have. Throws MailFailure: field_missing, request_invalid, attachment_invalid, too_large.
 */
export function parseRequest(
  body: unknown,
  hosts: readonly string[] = [],
  later = false,
  required: readonly string[] = ['from', 'to', 'subject'],
  perField = RESEND_RECIPIENTS_MAX,
): EmailFields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new MailFailure('request_invalid', 'The request body must be a JSON object.');
  const fields = body as Fields;
  const absent = required.filter((name) => isAbsent(fields[name]));
  if (isAbsent(fields['html']) && isAbsent(fields['text'])) absent.push('html` or `text');
  const missing = absent.map((name) => `Missing \`${name}\` field.`);
  const unsupported = [
    ...Object.entries(NOT_SERVED)
      .filter(([name]) => !isAbsent(fields[name]))
      .map(([name, why]) => `Invalid \`${name}\` field: it is not supported here${why}.`),
    ...foreignFields(fields, '', EMAIL_ADVICE),
  ];
  const problems: string[] = [];
  const people = (name: string, value = fields[name]): Address[] => parsePeople(name, value, perField, problems);
  const scheduledAt = fields['scheduled_at'] ?? fields['scheduledAt'];
  const { headers, replyTo, recipients } = parseHeaders(isAbsent(fields['headers']) ? {} : fields['headers'], problems);
  const request: EmailFields = {
    from: people('from')[0] ?? { name: '', address: '' },
    to: people('to'),
    cc: people('cc'),
    bcc: people('bcc'),
    replyTo: distinct([...people('reply_to', fields['reply_to'] ?? fields['replyTo']), ...replyTo]),
    subject: isAbsent(fields['subject']) ? '' : parseSubject(fields['subject'], problems),
    html: parseText('html', fields['html'], problems) || null,
    text: parseText('text', fields['text'], problems),
    headers,
    attachments: filesIn(fields['attachments'], hosts, problems, [...unsupported, ...missing]),
    ...tagsOf(fields['tags']),
    ...(!isAbsent(scheduledAt) && { scheduledAt: parseScheduledAt(scheduledAt, later, problems) }),
  };
  const named = new Set([...request.to, ...request.cc, ...request.bcc].map(({ address }) => normaliseAddress(address)));
  if (!recipients.every(({ address }) => named.has(normaliseAddress(address))))
    problems.push(
      'Invalid `headers` field: it names a recipient (To, Cc or Bcc) whom `to`, `cc` and `bcc` do not; name all of them there.',
    );
  if (Array.isArray(fields['from'])) problems.push('Invalid `from` field: expected one address.');
  const all = [...unsupported, ...missing, ...problems];
  if (all.length > 0)
    throw new MailFailure(unsupported.length === 0 && missing.length > 0 ? 'field_missing' : 'request_invalid', all.join(' '));
  const { from, to, cc, bcc } = request;
  if (from.address === '') throw new MailFailure('field_missing', 'Missing `from` field.');
  if (to.length + cc.length + bcc.length === 0)
    throw new MailFailure('field_missing', 'Missing `to`, `cc` or `bcc` field: none of them holds an address.');
  return request;
}

/** The failure of an invalid file has its own code, unless the request has other problems too. */
function filesIn(value: unknown, hosts: readonly string[], problems: string[], others: readonly string[]): Attachment[] {
  try {
    return parseAttachments(value, hosts, problems);
  } catch (error) {
    if (others.length + problems.length === 0) throw error;
    problems.push(toFailure(error).message);
    return [];
  }
}

/** Empty elements are no recipients, as in Django and nodemailer; nor is `undisclosed-recipients:;`. */
function parsePeople(name: string, value: unknown, max: number, problems: string[]): Address[] {
  if (isAbsent(value)) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > max) {
    problems.push(`Invalid \`${name}\` field: ${list.length} addresses are more than ${max}.`);
    return [];
  }
  const given = list.filter(
    (one) => !(one === null || (typeof one === 'string' && (one.trim() === '' || (name !== 'from' && isEmptyGroup(one))))),
  );
  const people = given.map((one) => (typeof one === 'string' ? parseAddress(trimSeparators(one)) : null));
  const wrong = people.indexOf(null);
  if (wrong >= 0) problems.push(`Invalid \`${name}\` field. ${addressProblem(given[wrong])}`);
  return people.filter((one) => one !== null);
}

function parseSubject(value: unknown, problems: string[]): string {
  const problem = lineProblem(value, SUBJECT_MAX);
  if (problem === null) return String(value);
  problems.push(`Invalid \`subject\` field: ${problem}.`);
  return '';
}

const SUBJECT_MAX = 2_000;

function parseScheduledAt(value: unknown, later: boolean, problems: string[]): string {
  if (later && typeof value === 'string' && timeOf(value, 0) !== null) return value;
  problems.push(`Invalid \`scheduled_at\` field: ${later ? TIME_FORMAT : 'it is not supported here.'}`);
  return '';
}

const TAGS_MAX = 50;
const TAG_MAX = 256;

/** Tags in Resend's form, `{ name, value }`. Tags of any other form are ignored (Symfony sends its own form). */
function tagsOf(value: unknown): { readonly tags?: readonly Tag[] } {
  if (!Array.isArray(value)) return {};
  const tags = new Map<string, string>();
  for (const one of value.slice(0, TAGS_MAX) as ({ name?: unknown; value?: unknown } | null)[]) {
    const name = typeof one?.name === 'string' ? one.name : '';
    const text = one?.value;
    if (typeof text === 'string' && TAG_NAME.test(name) && TAG_VALUE.test(text)) tags.set(name, text);
  }
  return tags.size === 0 ? {} : { tags: [...tags].map(([name, value]) => ({ name, value })) };
}

const TAG_NAME = new RegExp(`^[A-Za-z0-9_-]{1,${TAG_MAX}}$`);
const TAG_VALUE = new RegExp(`^[\\x20-\\x7e]{0,${TAG_MAX}}$`);

function parseText(name: string, value: unknown, problems: string[]): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && !value.includes('\0')) return value;
  const problem = typeof value === 'string' ? 'it holds a NUL character (U+0000), which no email can; leave it out' : 'expected a string';
  if (!isAbsent(value)) problems.push(`Invalid \`${name}\` field: ${problem}.`);
  return null;
}

/** The request as one line of text that is equal for equal requests; attachments are in it as SHA-256 of their bytes. */
export function fingerprint({ tags: _, ...request }: EmailFields, digest: (bytes: Uint8Array | string) => string): string {
  const attachments = request.attachments.map(({ content, ...rest }) => ({ ...rest, content: digest(content) }));
  return digest(JSON.stringify({ ...request, attachments }));
}
