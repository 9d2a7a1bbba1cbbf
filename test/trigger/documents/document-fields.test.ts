/**
 * Each field that nodemailer or the extension documents is in the email, or the document says its name: nothing is dropped in
 * silence. The value of each carries a word that is looked for in the email.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simpleParser } from 'mailparser';
import { compose } from '../../../functions/mail/message/compose.ts';
import { parseRequest } from '../../../functions/mail/message/email.ts';
import { GMAIL_RECIPIENTS_MAX } from '../../../functions/mail/message/permissions.ts';
import { toFailure } from '../../../functions/mail/model/failure.ts';
import { MESSAGE_FIELDS, mailInDocument } from '../../../functions/trigger/documents/document-email.ts';
import { CONFIG, MAILBOX } from '../../support/stack/laptop.ts';

const CONFIGURED = { collection: 'mail', database: '(default)', from: [MAILBOX], replyTo: 'default@example.com' };
const rendered = async () => ({ subject: 'canary-template', html: '<p>canary-template</p>' });

type Fields = Record<string, unknown>;
const WHOLE: Fields = { to: 'a@example.net', message: { subject: 's', text: 't' } };

/** The bytes of the email, decoded where a reader would, or the failure. */
async function emailOf(fields: Fields): Promise<{ readonly shown: string } | { readonly message: string }> {
  try {
    const body = await mailInDocument(fields, CONFIGURED, rendered);
    const request = parseRequest(body, [], false, ['from', 'subject'], GMAIL_RECIPIENTS_MAX);
    const mailbox = CONFIG.mailboxes[0] ?? assert.fail();
    const { bytes } = await compose(request, { mailbox, from: request.from }, { id: '1', acceptedAt: 0 });
    const { attachments, html, text, headerLines } = await simpleParser(Buffer.from(bytes));
    const files = attachments.map(({ filename, content, contentType, cid }) => `${filename} ${contentType} ${cid} ${content}`);
    return { shown: [Buffer.from(bytes).toString(), html, text, ...headerLines.map(({ line }) => line), ...files].join('\n') };
  } catch (error) {
    return { message: toFailure(error).message };
  }
}

const file = (change: Fields): Fields => ({ attachments: [{ filename: 'f.txt', content: 'x', ...change }] });
/** Fields of a message, by nodemailer's documentation and the extension's, each with a value that is unlike any default. */
const MESSAGE: readonly (readonly [field: string, message: Fields, trace: RegExp])[] = [
  ['from', { from: 'mark@example.com' }, /mark/],
  ['sender', { sender: 'mark@example.com' }, /mark/],
  ['to', { to: 'mark@example.com' }, /mark/],
  ['cc', { cc: 'mark@example.com' }, /mark/],
  ['bcc', { bcc: 'mark@example.com' }, /mark/],
  ['replyTo', { replyTo: 'Mark <mark@example.com>' }, /^Reply-To: Mark <mark@example\.com>\r$/m],
  ['replyTo', { replyTo: ['mark@example.com', 'b@example.com'] }, /^Reply-To: mark@example\.com, b@example\.com\r$/m],
  ['inReplyTo', { inReplyTo: '<mark@example.com>' }, /^In-Reply-To: <mark@example\.com>\r$/m],
  ['references', { references: ['<mark@example.com>', '<b@example.com>'] }, /^References: <mark@example\.com> <b@example\.com>\r$/m],
  ['references', { references: '<mark@example.com>' }, /^References: <mark@example\.com>\r$/m],
  ['envelope', { envelope: { from: 'mark@example.com', to: 'mark@example.com' } }, /mark/],
  ['subject', { subject: 'mark' }, /^Subject: mark\r$/m],
  ['text', { text: 'mark' }, /mark/],
  ['html', { html: '<p>mark</p>' }, /<p>mark<\/p>/],
  ['watchHtml', { watchHtml: '<p>mark</p>' }, /mark/],
  ['amp', { amp: '<html amp4email>mark</html>' }, /mark/],
  [
    'icalEvent',
    { icalEvent: { method: 'REQUEST', filename: 'mark.ics', content: 'BEGIN:VCALENDAR' } },
    /text\/calendar[\s\S]*method=REQUEST[\s\S]*mark\.ics/,
  ],
  ['icalEvent', { icalEvent: 'BEGIN:VCALENDAR\nX-MARK:1' }, /method=PUBLISH[\s\S]*X-MARK/],
  ['icalEvent.method', { icalEvent: { method: 'mark', content: 'BEGIN:VCALENDAR' } }, /^(?!)/],
  ['icalEvent.path', { icalEvent: { path: 'data:text/calendar,BEGIN:VCALENDAR%0AX-MARK:1' } }, /X-MARK/],
  ['alternatives', { alternatives: [{ contentType: 'text/x-mark', content: 'mark' }] }, /mark/],
  ['encoding', { encoding: 'mark' }, /mark/],
  ['raw', { raw: 'Subject: mark' }, /mark/],
  ['textEncoding', { textEncoding: 'quoted-printable' }, /^(?!)/],
  ['priority', { priority: 'high' }, /^X-Priority: 1 \(Highest\)\r$[\s\S]*^X-MSMail-Priority: High\r$[\s\S]*^Importance: High\r$/im],
  ['priority', { priority: 'low' }, /^Importance: Low\r$/m],
  ['priority', { priority: 'mark' }, /^(?!)/],
  ['headers', { headers: { 'X-Mark': 'mark' } }, /^X-Mark: mark\r$/m],
  ['headers', { headers: [{ key: 'X-Mark', value: 'mark' }] }, /^X-Mark: mark\r$/m],
  ['headers', { headers: ['mark'] }, /^(?!)/],
  ['messageId', { messageId: '<mark@example.com>' }, /mark/],
  ['date', { date: new Date(1) }, /^Date: Thu, 01 Jan 1970 00:00:00 \+0001/m],
  ['list', { list: { unsubscribe: 'https://example.com/mark' } }, /^List-Unsubscribe: <https:\/\/example\.com\/mark>\r$/m],
  ['list', { list: { help: 'mark@example.com?subject=help' } }, /^List-Help: <mailto:mark@example\.com\?subject=help>\r$/m],
  ['list', { list: { id: { url: 'mark.example.com', comment: 'Mark' } } }, /^List-ID: "Mark" <mark\.example\.com>\r$/m],
  [
    'list',
    { list: { unsubscribe: [['https://example.com/mark', { url: 'u@example.com', comment: 'Mark' }]] } },
    /^List-Unsubscribe: <https:\/\/example\.com\/mark>,\s+<mailto:u@example\.com> \(Mark\)\r$/m,
  ],
  ['list', { list: 'mark' }, /^(?!)/],
  ['list.help', { list: { help: 'a\r\nBcc: mark@example.com' } }, /^(?!)/],
  ['disableFileAccess', { disableFileAccess: true }, /^(?!)/],
  ['disableUrlAccess', { disableUrlAccess: true }, /^(?!)/],
  ['attachDataUrls', { attachDataUrls: 'mark' }, /^(?!)/],
  [
    'attachDataUrls',
    { attachDataUrls: true, html: '<img src="data:image/png;base64,iVBORw0KGgo=">' },
    /<img src="?cid:[\s\S]*Content-Type: image\/png/,
  ],
  ['html', { html: '<img src="data:image/png;base64,iVBORw0KGgo=">' }, /Content-Type: image\/png/],
  ['normalizeHeaderKey', { normalizeHeaderKey: 'mark' }, /mark/],
  ['dkim', { dkim: { domainName: 'mark.example.com' } }, /mark/],
  ['xMailer', { xMailer: 'mark' }, /mark/],
  ['newline', { newline: 'mark' }, /mark/],
  ['boundaryPrefix', { boundaryPrefix: 'mark' }, /mark/],
  ['auth', { auth: { user: 'mark' } }, /mark/],
  ['dsn', { dsn: { id: 'mark' } }, /mark/],
  ['attachments', { attachments: 'mark' }, /^(?!)/],
  ['attachments', file({ filename: 'mark.txt' }), /mark\.txt/],
  ['attachments', { attachments: { filename: 'mark.txt', content: 'x' } }, /mark\.txt/],
  ['attachments', file({ content: 'mark' }), /mark/],
  ['attachments', file({ content: Buffer.from('mark') }), /mark/],
  ['attachments', file({ filename: 'mark.txt', content: Buffer.alloc(0) }), /mark\.txt/],
  ['attachments', file({ content: undefined, path: 'data:,mark' }), /mark/],
  ['attachments', file({ content: undefined, href: 'data:,mark' }), /mark/],
  ['attachments', file({ content: undefined, path: 'https://mark.example.com/f' }), /^(?!)/],
  ['attachments', file({ content: undefined, raw: 'mark' }), /mark/],
  ['attachments', file({ contentType: 'text/x-mark' }), /text\/x-mark/],
  ['attachments', file({ cid: 'mark' }), /mark/],
  ['attachments', file({ encoding: 'mark' }), /^(?!)/],
  ['attachments', file({ contentDisposition: 'inline' }), /^(?!)/],
  ['attachments', file({ contentDisposition: 'attachment' }), /Content-Disposition: attachment/],
  ['attachments', file({ contentTransferEncoding: '7bit' }), /^(?!)/],
  ['attachments', file({ headers: { 'X-Mark': 'mark' } }), /mark/],
  ['attachments', file({ httpHeaders: { 'X-Mark': 'mark' } }), /mark/],
  ['subjekt', { subjekt: 'mark' }, /mark/],
];

const failing = (fields: Fields, names: RegExp, trace: RegExp) => async () => {
  const answer = await emailOf(fields);
  if ('message' in answer) assert.match(answer.message, names);
  else assert.match(answer.shown, trace);
};

for (const [index, [field, message, trace]] of MESSAGE.entries())
  test(
    `message.${field} (${index}) is in the email, or the error names it`,
    failing(
      { ...WHOLE, message: { subject: 's', text: 't', ...message } },
      new RegExp(`\`(message\\.)?${field.replace('.', '\\.')}\\b`),
      trace,
    ),
  );

const OUTSIDE: readonly (readonly [field: string, fields: Fields, trace: RegExp])[] = [
  ['to', { to: 'mark@example.net' }, /^To: mark@example\.net\r$/m],
  ['cc', { cc: 'mark@example.net' }, /^Cc: mark@example\.net\r$/m],
  ['bcc', { bcc: 'mark@example.net' }, /^Bcc: mark@example\.net\r$/m],
  ['from', { from: `Mark <${MAILBOX}>` }, /^From: Mark </m],
  ['replyTo', { replyTo: 'mark@example.net' }, /^Reply-To: mark@example\.net\r$/m],
  ['headers', { headers: { 'X-Mark': 'mark' } }, /^X-Mark: mark\r$/m],
  ['headers', { headers: { 'X-Mark': ['mark', 'b'] } }, /^(?!)/],
  ['headers', { headers: { 'X-Mark': 'mark' }, message: { subject: 's', text: 't', headers: { 'x-mark': 'b' } } }, /^(?!)/],
  ['categories', { categories: ['mark', 'b'] }, /^Keywords: mark, b\r$/m],
  ['categories', { categories: 'mark' }, /^Keywords: mark\r$/m],
  ['sendGrid', { sendGrid: { mailSettings: { mark: 1 } } }, /mark/],
  ['sendGridDynamicTemplate', { sendGridDynamicTemplate: 'mark' }, /mark/],
  ['attachments', { attachments: [{ filename: 'mark.txt', content: 'x' }] }, /mark/],
  ['icalEvent', { icalEvent: 'BEGIN:VCALENDAR' }, /VCALENDAR/],
  ['template.attachments', { template: { name: 'n', attachments: [{ filename: 'mark.txt', content: 'x' }] } }, /mark\.txt/],
  ['template.data', { template: { name: 'n', data: {} } }, /canary-template/],
  ['template.name', { template: { data: {} } }, /^(?!)/],
  ['template.subject', { template: { name: 'n', subject: 'mark' } }, /mark/],
  ['template.partials', { template: { name: 'n', partials: { mark: 'mark' } } }, /mark/],
];
for (const [index, [field, fields, trace]] of OUTSIDE.entries())
  test(
    `${field} (${index}) is in the email, or the error names it`,
    failing({ ...WHOLE, ...fields }, new RegExp(`\`${field.replace('.', '\\.')}\\b`), trace),
  );

test('each field that is said to be known is tried above', () => {
  const tried = new Set(MESSAGE.map(([field]) => field.split('.')[0]));
  assert.deepEqual(
    MESSAGE_FIELDS.filter((field) => !tried.has(field)),
    [],
  );
});

test('fields of the app itself are left alone', async () => {
  const answer = await emailOf({ ...WHOLE, userId: 'u1', delivery: { state: 'PENDING' }, createdAt: new Date(), subject: 'of the app' });
  assert.ok('shown' in answer);
});

test('two reply addresses, of the document and of its message, are both there', async () => {
  const answer = await emailOf({ ...WHOLE, replyTo: 'a@example.com', message: { subject: 's', text: 't', replyTo: 'b@example.com' } });
  assert.ok('shown' in answer && /^Reply-To: a@example\.com, b@example\.com\r$/m.test(answer.shown));
});
