import { parseAddressList } from '../../mail/model/address-list.ts';
import type { DocumentsConfig } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Subject and bodies, as a document holds them or as its template renders them. */
export interface RenderedContent {
  readonly attachments?: unknown;
  readonly subject?: unknown;
  readonly text?: unknown;
  readonly html?: unknown;
}

/** Renders a template of config/templates. Throws MailFailure. */
export type RenderNamed = (name: string, data: unknown) => Promise<RenderedContent>;

// What another product's service would do with them has no counterpart at Gmail.
const ELSEWHERE = ['sendGrid', 'sendGridDynamicTemplate'] as const;
// A whole part of a mail: left out in silence, the mail would be another one.
const PARTS = ['raw', 'icalEvent', 'alternatives'] as const;

/**
 * A document in the schema of Firebase's Trigger Email as a mail in the shape of `POST /emails`. Fields that are the
 * app's own are left alone. Throws MailFailure: request_invalid, field_missing, and what rendering throws.
 */
export async function mailInDocument(fields: Fields, config: DocumentsConfig, render: RenderNamed): Promise<Record<string, unknown>> {
  const message = recordIn(fields, 'message');
  const template = recordIn(fields, 'template');
  refuse(
    ELSEWHERE.filter((name) => present(fields[name])),
    'is of SendGrid; use `message`, or `template` with a file of config/templates',
  );
  refuse(
    PARTS.filter((name) => present(message?.[name])).map((name) => `message.${name}`),
    'is not supported',
  );
  if (!message && !template) throw new MailFailure('field_missing', 'Missing `message` or `template` field.');
  const rendered = template ? await renderedBy(template, render) : {};
  const { subject, text, html, attachments } = { ...message, ...rendered };
  const mail = {
    from: fields['from'] ?? config.from[0],
    to: people(fields['to']),
    cc: people(fields['cc']),
    bcc: people(fields['bcc']),
    reply_to: people(fields['replyTo'] ?? config.replyTo),
    headers: { ...references(message), ...recordIn(fields, 'headers') },
    subject,
    text,
    html,
    attachments: Array.isArray(attachments) ? attachments.map(attachmentIn) : attachments,
  };
  if ([mail.to, mail.cc, mail.bcc].every((list) => list.length === 0))
    throw new MailFailure('field_missing', 'Missing `to`, `cc` or `bcc` field.');
  return mail;
}

async function renderedBy(template: Fields, render: RenderNamed): Promise<RenderedContent> {
  const { name, data } = template;
  if (typeof name !== 'string' || !present(name)) throw new MailFailure('field_missing', 'Missing `template.name` field.');
  return render(name, data ?? {});
}

/** One address, several in one text, or a list of either: nodemailer, which the extension hands them to, takes all three. */
function people(value: unknown): unknown[] {
  const list = Array.isArray(value) ? value : present(value) ? [value] : [];
  return list.flatMap((one: unknown) => {
    const addresses = typeof one === 'string' && one.includes(',') ? parseAddressList(one) : null;
    return addresses ? addresses.map(({ name, address }) => (name ? `"${name.replace(/["\\]/g, '\\$&')}" <${address}>` : address)) : [one];
  });
}

/** Threads: nodemailer has them among the fields of the message. */
function references(message: Fields | null): Record<string, unknown> {
  const { inReplyTo, references: before } = message ?? {};
  return {
    ...(present(inReplyTo) && { 'In-Reply-To': inReplyTo }),
    ...(present(before) && { References: Array.isArray(before) ? before.join(' ') : before }),
  };
}

const ENCODINGS = ['base64', 'hex', 'latin1', 'binary', 'ascii', 'utf8', 'utf-8', 'utf16le'] as const;

/** An attachment as nodemailer takes it: text, bytes, text in an encoding, a data address, or a place to fetch it from. */
function attachmentIn(value: unknown, index: number): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value; // the mail's own parser names it
  const { filename, content, path, href, encoding, contentType, cid, raw } = value as Fields;
  const at = `message.attachments[${index}]`;
  if (present(raw)) throw new MailFailure('request_invalid', `Invalid \`${at}.raw\` field: it is not supported; use \`content\`.`);
  const place = path ?? href;
  const common = { filename, content_type: contentType, content_id: cid };
  if (content === undefined && typeof place === 'string' && place.startsWith('data:'))
    return { ...common, ...dataIn(place, at), ...defined(common) };
  if (content === undefined) return { ...common, path: place };
  if (content instanceof Uint8Array) return { ...common, content: Buffer.from(content).toString('base64') };
  if (typeof content !== 'string') return { ...common, content };
  const known = ENCODINGS.find((one) => one === (encoding ?? 'utf8'));
  if (!known) throw new MailFailure('request_invalid', `Invalid \`${at}.encoding\` field: expected ${ENCODINGS.join(', ')}.`);
  return { ...common, content: known === 'base64' ? content : Buffer.from(content, known).toString('base64') };
}

function dataIn(address: string, at: string): Record<string, unknown> {
  const [, type = '', base64, data = ''] = /^data:([^,;]*)(?:;[^,;]*?)*?(;base64)?,(.*)$/s.exec(address) ?? [];
  try {
    const content = base64 ? data : Buffer.from(decodeURIComponent(data)).toString('base64');
    return { ...(type && { content_type: type }), content };
  } catch {
    throw new MailFailure('request_invalid', `Invalid \`${at}.path\` field: its data cannot be decoded.`);
  }
}

const defined = (record: Fields): Fields => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

function recordIn(fields: Fields, name: string): Fields | null {
  const value = fields[name];
  if (!present(value)) return null;
  if (typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  throw new MailFailure('request_invalid', `Invalid \`${name}\` field: expected a map.`);
}

const present = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

function refuse(names: readonly string[], why: string): void {
  if (names.length > 0) throw new MailFailure('request_invalid', names.map((name) => `Invalid \`${name}\` field: it ${why}.`).join(' '));
}
