/** Every value of each header, under its name in lower case. */
export type HeaderValues = Readonly<Record<string, readonly string[] | undefined>>;

/** The one value of a header. Null where it is absent, empty or given twice: programs would choose different ones. */
export function headerOf(headers: HeaderValues, name: string): string | null {
  const values = headers[name.toLowerCase()] ?? [];
  return values.length === 1 ? values[0]?.trim() || null : null;
}

/** A header of seconds since the epoch, if it lies within the tolerance before or after now (milliseconds). */
export function freshTimestamp(text: string | null, now: number, toleranceSeconds: number): number | null {
  if (text === null || !/^\d{1,11}$/.test(text)) return null;
  return Math.abs(Number(text) - Math.floor(now / 1_000)) <= toleranceSeconds ? Number(text) : null;
}
