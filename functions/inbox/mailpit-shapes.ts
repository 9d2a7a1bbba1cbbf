import { createHash } from 'node:crypto';
import type { EmailSummary } from './email-table.ts';
import type { FoundEmails, OpenEmail } from './inbox.ts';
import type { EmailPart, ParsedAddress, ParsedEmail } from './parse-email.ts';

const iso = (ms: number): string => new Date(ms).toISOString();

/** Mailpit's `MessageSummary`. */
export function summaryJson({ id, messageId, read, subject, created, mailbox, tags, size, attachments, snippet, ...all }: EmailSummary) {
  return {
    ID: id,
    MessageID: messageId,
    Read: read,
    From: all.from,
    To: all.to,
    Cc: all.cc,
    Bcc: all.bcc,
    ReplyTo: all.replyTo,
    Subject: subject,
    Created: iso(created),
    Username: mailbox,
    Tags: tags,
    Size: size,
    Attachments: attachments,
    Snippet: snippet,
  };
}

/** Mailpit's `MessagesSummary`: a page of a list or of a search. */
export function listJson(
  { emails, all, unread }: FoundEmails,
  start: number,
  totals: { all: number; unread: number },
  tags: readonly string[],
) {
  return {
    total: totals.all,
    unread: totals.unread,
    count: emails.length,
    messages_count: all,
    messages_unread: unread,
    start,
    tags,
    messages: emails.map(summaryJson),
  };
}

/** Mailpit's `Message`. `Text` and `HTML` are the parts of the email; '' for a missing part. */
export function messageJson({ summary, parsed }: OpenEmail) {
  const { Read: _, Created: __, Attachments: ___, Snippet: ____, ...envelope } = summaryJson(summary);
  return {
    ...envelope,
    ReturnPath: summary.mailbox,
    ListUnsubscribe: unsubscribe(parsed),
    Date: iso(parsed.date ?? summary.created),
    Text: parsed.text,
    HTML: parsed.html,
    Inline: parsed.inline.map(partJson),
    Attachments: parsed.attachments.map(partJson),
  };
}

function partJson({ id, filename, contentType, cid, content }: EmailPart) {
  const hash = (name: string): string => createHash(name).update(content).digest('hex');
  return {
    PartID: id,
    FileName: filename,
    ContentType: contentType,
    ContentID: cid,
    Size: content.length,
    Checksums: { MD5: hash('md5'), SHA1: hash('sha1'), SHA256: hash('sha256') },
  };
}

/** Headers by name, in Go's form: `Message-Id`. */
export function headersJson({ headers }: ParsedEmail): Record<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const known = name.toLowerCase().replace(/(^|-)[a-z]/g, (first) => first.toUpperCase());
    all.set(known, [...(all.get(known) ?? []), value]);
  }
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function unsubscribe({ headers }: ParsedEmail) {
  const value = (wanted: string): string => headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? '';
  const header = value('list-unsubscribe');
  const links = [...header.matchAll(/<([^<>]+)>/g)].map(([, link = '']) => link.trim());
  const kinds = links.map((link) => /^(mailto|https?):/i.exec(link)?.[1]?.toLowerCase().replace('https', 'http') ?? '');
  const errors = [
    header !== '' && links.length === 0 && 'no link between angle brackets',
    kinds.includes('') && 'a link is neither mailto: nor http(s):',
    new Set(kinds).size < kinds.length && 'more than one link of a kind',
  ].filter(Boolean);
  return { Header: header, Links: links, Errors: errors.join(', '), HeaderPost: value('list-unsubscribe-post') };
}

export type { ParsedAddress as InboxAddress };
