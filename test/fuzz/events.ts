/** Events as a vendor, or who forges one, may send them. */
import fc from 'fast-check';
import { sample } from '../support/stack/samples.ts';
import { nasty } from './inputs.ts';

/** What stands in place of a field. */
export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    1e308,
    1.5,
    true,
    [],
    {},
    [null],
    [[[]]],
    { length: 3 },
    { __proto__: 1, constructor: {}, toString: 'x' },
    '0001-01-01T00:00:00Z',
    '9999-99-99T99:99:99Z',
    '-271821-04-20T00:00:00Z',
    'javascript:alert(1)',
    'a\r\nBcc: x@example.com',
    '{{event}}',
    '=?utf-8?Q?a=0D=0ABcc:_x@example.com?=',
    '<script>canary</script>',
    'NaN',
    '1e999',
    'XXX',
  ),
  nasty,
  fc.jsonValue({ maxDepth: 3 }),
);

function* paths(value: unknown, at: readonly string[] = []): Generator<readonly string[]> {
  if (at.length > 0) yield at;
  if (typeof value === 'object' && value !== null) for (const [key, one] of Object.entries(value)) yield* paths(one, [...at, key]);
}

/** The value with one place of it replaced, or taken away where `by` is undefined. */
export function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
  if (rest.length > 0) copy[first] = replaced(copy[first], rest, by);
  else if (by !== undefined) Object.defineProperty(copy, first, { value: by, enumerable: true, configurable: true, writable: true });
  else if (Array.isArray(copy)) copy.splice(Number(first), 1);
  else delete copy[first];
  return copy;
}

/** Every place in a value. */
export const placesIn = (value: unknown): (readonly string[])[] => [...paths(value)];

/** An event of the template's vendor with up to four of its fields changed. */
export const eventFor = (template: string): fc.Arbitrary<unknown> => {
  const whole: unknown = sample(template);
  const places = placesIn(whole);
  const change = fc.tuple(fc.constantFrom(...places), fc.option(hostile, { nil: undefined }));
  return fc.array(change, { maxLength: 4 }).map((changes) =>
    changes.reduce((event, [place, by]) => {
      const there = place
        .slice(0, -1)
        .every((_, at) => Object(place.slice(0, at + 1).reduce<unknown>((one, key) => Object(one)[key], event)) !== null);
      try {
        return there ? replaced(event, place, by) : event;
      } catch {
        return event; // an earlier change took the place away
      }
    }, whole),
  );
};
