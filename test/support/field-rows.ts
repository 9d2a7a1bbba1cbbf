/** What an email may say and by which field, at every place it can be given to; `docs/fields.md` is written from these rows. */
export interface FieldRow {
  readonly what: string;
  /** Fields of `POST /emails`, with a value to try; empty for what it has no field for. */
  readonly emails: Readonly<Record<string, unknown>>;
  /** Fields of a document, by their path, with a value to try. */
  readonly documents: Readonly<Record<string, unknown>>;
  readonly finished: string;
  readonly note?: string;
}

const FILE = { filename: 'a.txt', content: 'eA==' };

export const FIELD_ROWS: readonly FieldRow[] = [
  {
    what: 'sender',
    emails: { from: 'A <no-reply@example.com>' },
    documents: { from: 'no-reply@example.com' },
    finished: '`From`',
    note: 'an address of the mailbox, with or without a name',
  },
  {
    what: 'recipients',
    emails: { to: ['b@example.net'], cc: 'c@example.net', bcc: ['d@example.net'] },
    documents: { to: 'b@example.net', cc: ['c@example.net'], bcc: 'd@example.net' },
    finished: '`To`, `Cc`, the envelope',
    note: 'empty elements and `undisclosed-recipients:;` hold nobody; one address in two spellings gets one email; a local part may be quoted for its dots (`"a..b"@example.net`)',
  },
  {
    what: 'recipients by uid',
    emails: {},
    documents: { toUids: ['u1'], ccUids: ['u1'], bccUids: ['u1'] },
    finished: '–',
    note: 'where the config names the collection of users',
  },
  {
    what: 'where replies go',
    emails: { reply_to: 'r@example.com', replyTo: ['r@example.com'] },
    documents: { replyTo: 'r@example.com', 'message.replyTo': 'r@example.com' },
    finished: '`Reply-To`',
  },
  {
    what: 'subject',
    emails: { subject: 'Other' },
    documents: { 'message.subject': 'Other' },
    finished: '`Subject`',
    note: 'one line of at most 2,000 characters',
  },
  {
    what: 'html',
    emails: { html: '<p>Other</p>' },
    documents: { 'message.html': '<p>Other</p>' },
    finished: 'a part',
    note: 'images with `data:` addresses become inline parts',
  },
  {
    what: 'text',
    emails: { text: 'Other' },
    documents: { 'message.text': 'Other' },
    finished: 'a part',
    note: "made from the html where it is left out; `''` for none",
  },
  {
    what: 'a template',
    emails: {},
    documents: { 'template.name': 'welcome', 'template.data': { a: 1 } },
    finished: '–',
    note: 'in a request to `/emails` and `/emails/batch` as `template: {id, variables}`, without `html` and `text`; a file of `config/templates` by its name, strict unless it says otherwise',
  },
  {
    what: 'files',
    emails: { attachments: [FILE] },
    documents: { 'message.attachments': [FILE], 'template.attachments': [FILE] },
    finished: 'parts',
    note: 'at most 500',
  },
  {
    what: 'a calendar invitation',
    emails: { attachments: [{ ...FILE, content_type: 'text/calendar; method=REQUEST' }] },
    documents: { 'message.icalEvent': { method: 'request', content: 'BEGIN:VCALENDAR' } },
    finished: 'a part',
    note: 'also stands as another form of the text, for Gmail’s buttons',
  },
  {
    what: 'data: images as parts',
    emails: {},
    documents: { 'message.attachDataUrls': true },
    finished: '–',
    note: 'done in any case; the field is taken',
  },
  {
    what: 'headers',
    emails: { headers: { 'X-A': '1' } },
    documents: { headers: { 'X-A': '1' }, 'message.headers': { 'X-A': '1' } },
    finished: 'as they are',
    note: 'see below',
  },
  {
    what: 'thread, list, priority, keywords',
    emails: { headers: { 'In-Reply-To': '<a@example.com>' } },
    documents: {
      'message.inReplyTo': '<a@example.com>',
      'message.references': '<a@example.com>',
      'message.list': { unsubscribe: 'https://example.com/u' },
      'message.priority': 'high',
      categories: ['news'],
    },
    finished: 'headers',
  },
  {
    what: 'a later time',
    emails: { scheduled_at: 'in 1 hour', scheduledAt: '2026-12-24T08:00:00Z' },
    documents: {},
    finished: '–',
    note: 'ISO 8601 with its offset, or English words that name the hour; within 30 days',
  },
  {
    what: 'tags',
    emails: { tags: [{ name: 'a', value: 'b' }] },
    documents: {},
    finished: '–',
    note: 'kept in the ledger, returned, and carried in [events](events.md); nothing of Gmail’s is like them',
  },
];
