/** A header of a message, as it came. */
export interface ReceivedHeader {
  readonly name: string;
  readonly value: string;
}

/**
 * Whether a message is from whom it says. `proven`: a signature or a sending host of that domain says so. `forged`: its domain says
 * that it is not. `unproven`: nothing says either; many mail servers send their reports without any proof.
 */
export type Proof = 'proven' | 'unproven' | 'forged';

/** Who adds the results at Gmail (RFC 8601, 2.5); the same header by anybody else is only a text in the message. */
const GMAIL = 'mx.google.com';

/** Domains that Google's own reports come from; each signs what it sends. */
const GOOGLE = ['googlemail.com', 'google.com'];
export const isGoogle = (domain: string): boolean => GOOGLE.includes(domain);

/**
 * Judges a message of `domain` by what Gmail wrote down when it came in. Gmail puts its header above all that were there, so only the
 * first one counts.
 */
export function senderProof(headers: readonly ReceivedHeader[], domain: string): Proof {
  const first = headers.find(({ name }) => name.toLowerCase() === 'authentication-results')?.value ?? '';
  const { text, isPlain } = withoutQuotes(first);
  const [server = '', ...results] = withoutComments(text).split(';');
  if (server.trim().split(/\s/, 1)[0] !== GMAIL) return 'unproven';
  if (!isPlain) return 'forged';
  const parsed = results.flatMap(resultIn);
  const passes = (method: string, ...names: string[]): boolean =>
    parsed.some((one) => one.method === method && one.result === 'pass' && names.some((name) => isSameHouse(one.properties[name], domain)));
  if (passes('dmarc', 'header.from') || passes('dkim', 'header.i', 'header.d')) return 'proven';
  const failed = (method: string, ...wanted: string[]): boolean =>
    parsed.some((one) => one.method === method && wanted.includes(one.result));
  if (isGoogle(domain) || failed('dmarc', 'fail')) return 'forged';
  if (passes('spf', 'smtp.helo', 'smtp.mailfrom')) return 'proven';
  return failed('spf', 'fail', 'softfail') ? 'forged' : 'unproven';
}

interface Result {
  readonly method: string;
  readonly result: string;
  readonly properties: Readonly<Record<string, string>>;
}

function resultIn(text: string): Result[] {
  const [, method = '', result = ''] = /^\s*([a-z]+)(?:\/\d+)?\s*=\s*([a-z]+)/i.exec(text) ?? [];
  if (method === '') return [];
  const properties = Object.fromEntries(
    [...text.matchAll(/(?<![a-z])([a-z]+\.[a-z-]+)\s*=\s*([^\s;]+)/gi)].map(([, name = '', value = '']) => [
      name.toLowerCase(),
      domainOf(value),
    ]),
  );
  return [{ method: method.toLowerCase(), result: result.toLowerCase(), properties }];
}

/**
 * The header with each quoted string replaced by one sign. `isPlain` is false where a quoted string does not end or holds a sign that
 * separates: a sender may quote anything in an address, and then two readers of the header may disagree about what is quoted. No
 * ordinary server writes such an address.
 */
function withoutQuotes(header: string): { readonly text: string; readonly isPlain: boolean } {
  const parts = header.split('"');
  const quoted = parts.filter((_, index) => index % 2 === 1);
  return {
    text: parts.filter((_, index) => index % 2 === 0).join('_'),
    isPlain: parts.length % 2 === 1 && !quoted.some((one) => /[;()\\]/.test(one)),
  };
}

/** Comments may nest and hold any sign, also a `;`. */
export function withoutComments(text: string): string {
  let depth = 0;
  let kept = '';
  for (const sign of text) {
    if (sign === '(') depth++;
    else if (sign === ')') depth = Math.max(0, depth - 1);
    else if (depth === 0) kept += sign;
  }
  return kept;
}

const domainOf = (value: string): string => value.slice(value.lastIndexOf('@') + 1).toLowerCase();

/** True for equal domains, and where one is below the other. */
const isSameHouse = (one: string | undefined, other: string): boolean =>
  one !== undefined &&
  [one, other].every((domain) => domain.includes('.')) &&
  (one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`));
