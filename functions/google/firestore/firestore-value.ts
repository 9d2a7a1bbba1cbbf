import type { firestore_v1 } from 'googleapis/build/src/apis/firestore/v1.js';

/** A Firestore value in its REST form: one key that names its type. */
export type Value = firestore_v1.Schema$Value;
export type FirestoreFields = Readonly<Record<string, Value>>;

/** A value as plain data: times and references as text, bytes as a Buffer, whole numbers. */
function plainValue(value: Value): unknown {
  if (value.mapValue) return plainFields(value.mapValue.fields ?? {});
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plainValue);
  if (typeof value.bytesValue === 'string') return Buffer.from(value.bytesValue, 'base64');
  if (value.integerValue !== undefined) return Number(value.integerValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue); // JSON has no NaN, so Firestore sends it as text
  return value.stringValue ?? value.booleanValue ?? value.timestampValue ?? value.referenceValue ?? value.geoPointValue ?? null;
}

/** The fields of a document or a map as plain data. */
export const plainFields = (fields: FirestoreFields = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainValue(value)]));

/** Plain data as a value; a Date becomes a timestamp. */
export function typedValue(value: unknown): Value {
  if (value === null || value === undefined) return { nullValue: null };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  if (typeof value === 'boolean') return { booleanValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(typedValue) } };
  if (typeof value === 'object')
    return { mapValue: { fields: Object.fromEntries(Object.entries(value).map(([name, one]) => [name, typedValue(one)])) } };
  return { stringValue: String(value) };
}
