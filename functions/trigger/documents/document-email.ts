import { parseAddressList, trimSeparators } from '../../mail/model/address-list.ts';
import type { DocumentsConfig } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { RenderedContent } from '../common/render-template.ts';
import { attachmentsIn, calendarIn } from './document-attachments.ts';
import { type DocumentFields, isPresent, recordIn, refuseField, refuseUnknown } from './document-fields.ts';
import { headersOf } from './document-headers.ts';

/** Renders a template of config/templates. Throws MailFailure. */
export type RenderNamed = (name: string, data: unknown) => Promise<RenderedContent>;

/** The supported fields of `message`; every other field is refused by name. */
export const MESSAGE_FIELDS = [
  'subject',
  'text',
  'html',
  'attachments',
  'icalEvent',
  'attachDataUrls',
  'replyTo',
  'headers',
  'list',
  'priority',
  'inReplyTo',
  'references',
] as const;
const TEMPLATE_FIELDS = ['name', 'data', 'attachments'] as const;

/** A document without content yet: it is ignored until a later write adds it, as the extension does. */
export const isIncomplete = (fields: DocumentFields): boolean =>
  ['message', 'template', ...SENDGRID].every((name) => !isPresent(fields[name]));

const BESIDE = 'belongs beside `message`, not in it';
/** What to write instead of a field that nodemailer or the extension accepts. */
const ADVICE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['from', 'to', 'cc', 'bcc'].map((name) => [name, BESIDE])),
  sender: 'is not supported; `from` belongs beside `message`',
  envelope: 'is not supported; the recipients are `to`, `cc` and `bcc`',
  messageId: 'is not supported: mailgrant sets the Message-ID itself, and reports it in `delivery.info.messageId`',
  date: 'is not supported: mailgrant sets the Date itself',
  amp: 'is not supported; leave it out, and `html` is shown',
  raw: 'is not supported; use `subject`, `text`, `html` and `attachments`',
  alternatives: 'is not supported; use `html`, `text` and `icalEvent`',
  watchHtml: 'is not supported; use `html`',
};

// Fields for SendGrid: Gmail has no counterpart.
const SENDGRID = ['sendGrid', 'sendGridDynamicTemplate'] as const;
// Parts of an email in the wrong place, where they would be ignored. Any other field beside `message` belongs to the app.
const MISPLACED = ['attachments', 'icalEvent', 'alternatives'] as const;

/**
 * Converts a document in the schema of Firebase's Trigger Email into the shape of `POST /emails`. The app's own fields are
 * ignored. Throws MailFailure: request_invalid, field_missing, and what rendering throws.
 */
export async function mailInDocument(
  fields: DocumentFields,
  config: DocumentsConfig,
  render: RenderNamed,
): Promise<Record<string, unknown>> {
  const message = recordIn(fields, 'message');
  const template = recordIn(fields, 'template');
  refuseField([
    ...SENDGRID.filter((name) => isPresent(fields[name])).map(
      (name) => [name, 'is of SendGrid; leave it out, and use `message`, or `template` with a file of config/templates'] as const,
    ),
    ...MISPLACED.filter((name) => isPresent(fields[name])).map((name) => [name, 'belongs in `message`, not beside it'] as const),
  ]);
  refuseUnknown(message ?? {}, MESSAGE_FIELDS, 'message', ADVICE);
  refuseUnknown(template ?? {}, TEMPLATE_FIELDS, 'template');
  if (!message && !template) throw new MailFailure('field_missing', 'Missing `message` or `template` field.');
  const { attachDataUrls } = message ?? {};
  if (isPresent(attachDataUrls) && typeof attachDataUrls !== 'boolean')
    throw new MailFailure('request_invalid', 'Invalid `message.attachDataUrls` field: expected true or false.');
  // As in the extension, a template's subject and bodies replace those of the message.
  const { subject, text, html } = { ...message, ...(template && (await renderedBy(template, render))) };
  const replyTo = [...people(fields['replyTo']), ...people(message?.['replyTo'])];
  const mail = {
    from: fields['from'] ?? config.from[0],
    to: people(fields['to']),
    cc: people(fields['cc']),
    bcc: people(fields['bcc']),
    reply_to: replyTo.length > 0 ? replyTo : people(config.replyTo),
    headers: headersOf(fields, message),
    subject,
    text,
    html,
    attachments: [
      ...attachmentsIn(template?.['attachments'], 'template.attachments'),
      ...attachmentsIn(message?.['attachments'], 'message.attachments'),
      ...calendarIn(message?.['icalEvent'], 'message.icalEvent'),
    ],
  };
  if ([mail.to, mail.cc, mail.bcc].every((list) => list.length === 0))
    throw new MailFailure('field_missing', 'Missing `to`, `cc` or `bcc` field.');
  return mail;
}

async function renderedBy({ name, data }: DocumentFields, render: RenderNamed): Promise<RenderedContent> {
  if (typeof name !== 'string' || !isPresent(name)) throw new MailFailure('field_missing', 'Missing `template.name` field.');
  return render(name, data ?? {});
}

/**
 * One address, several in one text, or a list of either: the extension passes them to nodemailer, which accepts all three
 * and ignores empty ones.
 */
function people(value: unknown): unknown[] {
  return [value].flat().flatMap((one: unknown) => {
    if (one === undefined || one === null) return [];
    if (typeof one !== 'string') return [one];
    const text = trimSeparators(one);
    if (text === '') return [];
    const addresses = text.includes(',') ? parseAddressList(text) : null;
    return addresses ? addresses.map(({ name, address }) => (name ? `"${name.replace(/["\\]/g, '\\$&')}" <${address}>` : address)) : [text];
  });
}
