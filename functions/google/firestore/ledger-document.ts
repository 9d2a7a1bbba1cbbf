import type { Entry, State } from '../../mail/delivery/ledger.ts';
import type { Bounce, EmailEvent, Tag } from '../../mail/model/email-event.ts';
import type { Document } from './firestore-client.ts';
import { typedValue, type Value } from './firestore-value.ts';

/** Field values for Firestore. Numbers become integers; `expireAt` becomes a timestamp, which the TTL policy needs. */
export function fieldsOf(record: Readonly<Record<string, unknown>>): Record<string, Value> {
  const fields: Record<string, Value> = {};
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue;
    const whole = typeof value === 'number' ? Math.trunc(value) : value;
    fields[name] = typedValue(name === 'expireAt' ? new Date(Number(value)) : whole);
  }
  return fields;
}

/** Stored names of fields, where they differ from the entry's names: records of earlier versions must stay readable. */
const STORED_NAMES: Readonly<Record<string, string>> = {
  requestHash: 'payload',
  sessionUri: 'handle',
  mimeHash: 'letter',
  mimeBytes: 'letterBytes',
  messageHash: 'content',
  claimId: 'holder',
  deadLetterAt: 'buriedAt',
};

/** An entry as a document; the document's name is the entry's id. */
export function documentOf({ id: _, tags, outbox, bounces, ...rest }: Entry): Record<string, Value> {
  const stored = Object.fromEntries(Object.entries(rest).map(([name, value]) => [STORED_NAMES[name] ?? name, value]));
  return fieldsOf({
    ...stored,
    ...(tags && { tags: tags.map(({ name, value }) => `${name}=${value}`) }), // one text each, which a query can match
    ...(bounces && { bounces: JSON.stringify(bounces) }),
    ...(outbox && { outbox: JSON.stringify(outbox) }),
  });
}

function tagIn(text: string): Tag {
  const [name = ''] = text.split('=', 1);
  return { name, value: text.slice(name.length + 1) };
}

/** A document as an entry. */
export function entryOf(id: string, document: Document): Entry {
  const fields = document.fields ?? {};
  const text = (name: string): string | null => fields[name]?.stringValue ?? null;
  const number = (name: string): number | null => (fields[name]?.integerValue === undefined ? null : Number(fields[name].integerValue));
  return {
    id,
    state: text('state') as State,
    requestHash: text('payload') ?? '',
    caller: text('caller') ?? '',
    mailbox: text('mailbox') ?? '',
    recipients: (fields['recipients']?.arrayValue?.values ?? []).map(({ stringValue }) => stringValue ?? ''),
    acceptedAt: number('acceptedAt') ?? 0,
    attempts: number('attempts') ?? 0,
    ...(fields['idHeader'] && { idHeader: 1 }),
    leaseUntil: number('leaseUntil') ?? 0,
    ...(fields['holder'] && { claimId: text('holder') ?? '' }),
    sessionUri: text('handle'),
    mimeHash: text('letter'),
    ...(fields['letterBytes'] && { mimeBytes: number('letterBytes') ?? 0 }),
    gmailId: text('gmailId'),
    ...(fields['threadId'] && { threadId: text('threadId') ?? '' }),
    ...(fields['repeatedAt'] && { repeatedAt: number('repeatedAt') ?? 0 }),
    ...(fields['key'] && { key: text('key') ?? '' }),
    ...(fields['rejected'] && { rejected: number('rejected') ?? 0 }),
    code: text('code'),
    ...(fields['fields'] && { fields: text('fields') ?? '' }),
    notBefore: number('notBefore'),
    ...(fields['scheduledAt'] && { scheduledAt: number('scheduledAt') ?? 0 }),
    ...(fields['content'] && { messageHash: text('content') ?? '' }),
    ...(fields['buriedAt'] && { deadLetterAt: number('buriedAt') ?? 0 }),
    ...(fields['tags'] && { tags: (fields['tags'].arrayValue?.values ?? []).map(({ stringValue }) => tagIn(stringValue ?? '')) }),
    ...(fields['lastEvent'] && { lastEvent: 'bounced' }),
    ...(fields['bounces'] && { bounces: JSON.parse(text('bounces') ?? '[]') as Bounce[] }),
    ...(fields['outbox'] && { outbox: JSON.parse(text('outbox') ?? '[]') as EmailEvent[] }),
    ...(fields['outboxAt'] && { outboxAt: number('outboxAt') ?? 0 }),
    expireAt: Date.parse(fields['expireAt']?.timestampValue ?? '') || 0,
  };
}
