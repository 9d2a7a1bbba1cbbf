import { isAddress } from '../../mail/model/address.ts';
import { MailFailure } from '../../mail/model/failure.ts';

import type { DocumentStore } from '../../runtime/function-context.ts';

type Fields = Readonly<Record<string, unknown>>;

const UIDS_MAX = 500; // Gmail's limit of recipients per email

/** A document with uids replaced by addresses, and the uids without an address. */
export interface Resolved {
  readonly fields: Fields;
  readonly missing: readonly string[];
}

/**
 * Adds the addresses of `toUids`, `ccUids` and `bccUids` to `to`, `cc` and `bcc`. As in the extension, the address is the field
 * `email` of the user's document. Without a configured collection, uids are refused.
 * Throws MailFailure: request_invalid, and what reading throws.
 */
export async function withUsers(fields: Fields, database: string, users: string | undefined, documents: DocumentStore): Promise<Resolved> {
  const given = (['to', 'cc', 'bcc'] as const).filter((name) => isGiven(fields[`${name}Uids`]));
  if (given.length === 0) return { fields, missing: [] };
  const names = given.map((name) => `\`${name}Uids\``).join(', ');
  if (users === undefined)
    throw new MailFailure(
      'request_invalid',
      `Invalid ${names} field: users cannot be looked up here. Write addresses into \`to\`, \`cc\` and \`bcc\`, or name the collection in \`documents.users\` of the config.`,
    );
  const uids = [...new Set(given.flatMap((name) => uidsIn(fields[`${name}Uids`], `${name}Uids`)))];
  if (uids.length > UIDS_MAX)
    throw new MailFailure('request_invalid', `Invalid ${names} field: ${uids.length} uids are more than ${UIDS_MAX}.`);
  const emails = new Map(
    await Promise.all(uids.map(async (uid) => [uid, await emailOf(`${database}/documents/${users}/${uid}`, documents)] as const)),
  );
  const resolved = given.map((name) => {
    const people = uidsIn(fields[`${name}Uids`], `${name}Uids`).flatMap((uid) => emails.get(uid) ?? []);
    return [name, [fields[name] ?? [], people].flat()] as const;
  });
  const without = Object.fromEntries(Object.entries(fields).filter(([name]) => !/^(to|cc|bcc)Uids$/.test(name)));
  return { fields: { ...without, ...Object.fromEntries(resolved) }, missing: uids.filter((uid) => emails.get(uid) === null) };
}

async function emailOf(name: string, documents: DocumentStore): Promise<string | null> {
  const email = (await documents.read(name))?.fields['email'];
  return typeof email === 'string' && isAddress(email) ? email : null;
}

function uidsIn(value: unknown, name: string): string[] {
  if (
    Array.isArray(value) &&
    value.every((uid): uid is string => typeof uid === 'string' && /^[^/]{1,128}$/.test(uid) && !/^\.\.?$/.test(uid))
  )
    return value;
  throw new MailFailure('request_invalid', `Invalid \`${name}\` field: expected a list of uids.`);
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
