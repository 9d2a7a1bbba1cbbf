import type { Entry, State } from '../../mail/delivery/ledger.ts';

/** A Firestore value as REST writes it: one key that names its type. */
export interface Value {
  readonly stringValue?: string;
  readonly integerValue?: string;
  readonly timestampValue?: string;
  readonly nullValue?: null;
  readonly arrayValue?: { readonly values?: readonly Value[] };
}

export interface Document {
  readonly fields?: Readonly<Record<string, Value>>;
  readonly updateTime?: string;
}

/** Field values for Firestore; `expireAt` becomes a timestamp, which its TTL policy needs. */
export function fieldsOf(record: Readonly<Record<string, unknown>>): Record<string, Value> {
  const fields: Record<string, Value> = {};
  for (const name of Object.keys(record))
    if (record[name] !== undefined)
      fields[name] = name === 'expireAt' ? { timestampValue: new Date(Number(record[name])).toISOString() } : typed(record[name]);
  return fields;
}

function typed(value: unknown): Value {
  if (value === null || value === undefined) return { nullValue: null };
  if (typeof value === 'number') return { integerValue: String(Math.trunc(value)) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(typed) } };
  return { stringValue: String(value) };
}

/** An entry as a document; its id is the document's name. */
export function documentOf({ id: _, ...rest }: Entry): Record<string, Value> {
  return fieldsOf(rest);
}

/** A document as an entry. */
export function entryOf(id: string, { fields = {} }: Document): Entry {
  const text = (name: string): string | null => fields[name]?.stringValue ?? null;
  const number = (name: string): number | null => (fields[name]?.integerValue === undefined ? null : Number(fields[name].integerValue));
  return {
    id,
    state: text('state') as State,
    payload: text('payload') ?? '',
    caller: text('caller') ?? '',
    mailbox: text('mailbox') ?? '',
    recipients: (fields['recipients']?.arrayValue?.values ?? []).map(({ stringValue }) => stringValue ?? ''),
    acceptedAt: number('acceptedAt') ?? 0,
    attempts: number('attempts') ?? 0,
    leaseUntil: number('leaseUntil') ?? 0,
    ...(fields['holder'] && { holder: text('holder') ?? '' }),
    handle: text('handle'),
    letter: text('letter'),
    ...(fields['letterBytes'] && { letterBytes: number('letterBytes') ?? 0 }),
    gmailId: text('gmailId'),
    ...(fields['threadId'] && { threadId: text('threadId') ?? '' }),
    ...(fields['repeatedAt'] && { repeatedAt: number('repeatedAt') ?? 0 }),
    ...(fields['key'] && { key: text('key') ?? '' }),
    ...(fields['rejected'] && { rejected: number('rejected') ?? 0 }),
    code: text('code'),
    ...(fields['fields'] && { fields: text('fields') ?? '' }),
    notBefore: number('notBefore'),
    ...(fields['scheduledAt'] && { scheduledAt: number('scheduledAt') ?? 0 }),
    ...(fields['content'] && { content: text('content') ?? '' }),
    ...(fields['buriedAt'] && { buriedAt: number('buriedAt') ?? 0 }),
    expireAt: Date.parse(fields['expireAt']?.timestampValue ?? '') || 0,
  };
}
