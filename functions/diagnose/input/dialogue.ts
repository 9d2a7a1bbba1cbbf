/** What a server offers, and how far a dialogue came. Pure: text in, text or positions out. */

const MECHANISM = String.raw`(?:PLAIN-CLIENTTOKEN|XOAUTH2|OAUTHBEARER|XOAUTH|LOGIN|PLAIN|CRAM-MD5|DIGEST-MD5|NTLM|GSSAPI|EXTERNAL|SCRAM-SHA-\d+(?:-PLUS)?)\b(?!-)`;
const BETWEEN = String.raw`["']?(?:[ ,;|/]+|, ?and |\band\b)["']?`;
/** `250-AUTH LOGIN PLAIN …`, `AUTH=…`, or any list of three and more mechanisms: an offer, never an attempt. */
const OFFERS: readonly RegExp[] = [
  new RegExp(String.raw`(?:\b250[- ]|\bAUTH["']?[:,]? ?(?:arg )?["']?|\bAUTH=)(?:AUTH[ =])?${MECHANISM}(?:${BETWEEN}${MECHANISM})+`, 'gi'),
  new RegExp(`${MECHANISM}(?:${BETWEEN}${MECHANISM}){2,}`, 'gi'),
  new RegExp(String.raw`\b250[- ]AUTH[ =]${MECHANISM}`, 'gi'),
];

/** The text with each list of sign-in mechanisms replaced: a list says what could be used, not what was. */
export function withoutOffers(line: string): string {
  return OFFERS.reduce((text, offer) => text.replace(offer, 'AUTH (several mechanisms)'), line);
}

/** What Gmail answers once the network, TLS and the greeting are behind the client. */
const ANSWERED =
  /\b(?:535|534)\b.{0,12}5\.7\.(?:8|9|14)\b|5\.7\.8 Username and Password|\b5\.(?:7\.0|5\.1) Authentication Required|p=(?:BadCredentials|InvalidSecondFactor|WebLoginRequired|WantAuthError)|\b550\b.{0,8}5\.4\.5\b|\b454\b.{0,8}4\.7\.0 Too many/gi;

/** Where Gmail's last answer to a sign-in or to an email begins; -1 where there is none. A fault of network or TLS before it was overcome. */
export function lastAnswerAt(flat: string): number {
  let last = -1;
  for (const { index } of flat.matchAll(ANSWERED)) last = index;
  return last;
}

const HARD_MIN = 60;
const HARD_MAX = 140;
/** Widths of terminals, mail programs and forms. */
const USUAL: ReadonlySet<number> = new Set([72, 76, 78, 79, 80, 100, 120, 132]);
/** Each line of an SMTP reply begins with its code: there a new line is a new line. */
const REPLY_LINE = /^\s*(?:[a-z ->]*)?\d{3}[- ]/i;

/**
 * Joins lines that were cut at a fixed width, wherever a word stood. The width is the length that most long lines have to
 * the character; text that was wrapped at blanks is left as it is, since a blank joins it.
 */
export function unwrap(lines: readonly string[]): string[] {
  const width = lines.reduce((most, line) => Math.max(most, line.length), 0); // spread, too many lines overflow the stack
  const full = lines.filter((line) => line.length === width).length;
  const long = lines.filter((line) => line.length > width * 0.85).length;
  const sure = full > 1 ? full >= long * (USUAL.has(width) ? 0.5 : 0.75) : USUAL.has(width) && long === 1;
  if (width < HARD_MIN || width > HARD_MAX || !sure) return [...lines];
  const joined: string[] = [];
  let open = false;
  for (const line of lines) {
    if (open && !REPLY_LINE.test(line)) joined[joined.length - 1] += line;
    else joined.push(line);
    open = line.length === width;
  }
  return joined;
}
