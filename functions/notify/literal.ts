/** A plain value as JavaScript text; beyond JSON it supports integers of any size, bytes, and undefined. */
export function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined) return 'undefined';
  if (value instanceof Uint8Array) return `new Uint8Array([${value.join(',')}])`;
  if (Array.isArray(value)) return `[${value.map(literal).join(',')}]`;
  // Brackets make a key called __proto__ an ordinary one.
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .map(([key, one]) => `[${text(key)}]:${literal(one)}`)
      .join(',')}}`;
  return typeof value === 'string' ? text(value) : JSON.stringify(value);
}

// A script in a page would end at "</"; old JavaScript engines treat the two separators as line ends.
const text = (value: string): string =>
  JSON.stringify(value).replace(/[<\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
