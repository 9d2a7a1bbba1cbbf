import { MailFailure } from '../../mail/model/failure.ts';

export type DocumentFields = Readonly<Record<string, unknown>>;

/** False for values that mean that the field is left out. */
export const isPresent = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

/** A field that is a map; null if it is absent. Throws MailFailure: request_invalid. */
export function recordIn(fields: DocumentFields, name: string): DocumentFields | null {
  const value = fields[name];
  if (!isPresent(value)) return null;
  if (typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array)) return value as DocumentFields;
  throw new MailFailure('request_invalid', `Invalid \`${name}\` field: expected a map.`);
}

/** Refuses the named fields, each with its reason. Throws MailFailure: request_invalid. */
export function refuseField(problems: readonly (readonly [name: string, why: string])[]): void {
  if (problems.length > 0)
    throw new MailFailure('request_invalid', problems.map(([name, why]) => `Invalid \`${name}\` field: it ${why}.`).join(' '));
}

/**
 * Refuses unknown fields of a map: if they were ignored, the email would differ from what the app asked for.
 * Throws MailFailure: request_invalid.
 */
export function refuseUnknown(
  fields: DocumentFields,
  known: readonly string[],
  at: string,
  advice: Readonly<Record<string, string>> = {},
): void {
  const unknown = Object.keys(fields).filter((name) => !known.includes(name) && isPresent(fields[name]));
  refuseField(
    unknown.map((name) => [
      `${at}.${/^[\w-]{1,60}$/.test(name) ? name : '…'}`,
      (Object.hasOwn(advice, name) ? advice[name] : undefined) ?? `is not supported; there are ${known.join(', ')}`,
    ]),
  );
}
