import { type FailureCode, MailFailure } from '../../mail/model/failure.ts';

/** The phase of a transaction: before `data` no byte of the message has been sent. */
export type Phase = 'connect' | 'auth' | 'envelope' | 'data';

/** Gmail's explanation in the 334, before the 535, for a token that it refuses. */
export interface Challenge {
  readonly status: string;
  readonly scope: string;
}

/** What went wrong on an SMTP connection. `reply` is the server's whole answer, '' if none came; `cause` is the system's code. */
export interface SmtpTrouble {
  readonly phase: Phase;
  readonly reply: string;
  readonly cause: string;
  readonly challenge: Challenge | null;
}

interface SmtpReply {
  readonly code: number;
  /** Enhanced status code (RFC 3463), '' if none. */
  readonly enhanced: string;
  readonly text: string;
}

/** Reads a reply; Gmail wraps one sentence over several lines, each with code and enhanced code in front. */
export function readReply(reply: string): SmtpReply {
  const lines = reply.split(/\r?\n/).filter(Boolean);
  const [, code = '0', enhanced = ''] = /^(\d{3})(?:[ -](\d\.\d{1,3}\.\d{1,3})\b)?/.exec(lines[0] ?? '') ?? [];
  const text = lines.map((line) => line.replace(/^\d{3}[ -]?(\d\.\d+\.\d+ *)?/, '').trim()).join(' ');
  return { code: Number(code), enhanced, text };
}

/** Decodes the JSON of a 334; null if it is not JSON. Of the server's words, only harmless ones are kept. */
export function readChallenge(base64: string): Challenge | null {
  try {
    const { status, scope } = JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as Record<string, unknown>;
    const word = (value: unknown): string => (typeof value === 'string' ? value.replace(/[^\w:/.-]/g, '').slice(0, 60) : '');
    return { status: word(status), scope: word(scope) };
  } catch {
    return null;
  }
}

type Rule = readonly [code: FailureCode, codes: readonly number[], enhanced: RegExp | null, says: RegExp | null];

// Replies as Google documents them (support.google.com/a/answer/3726730) and as logs show them. The first matching row decides:
// reply code, then enhanced code, then words; null matches anything.
const RULES: readonly Rule[] = [
  ['quota_daily', [550], /^5\.4\.5$/, null], // a 5xx that passes
  ['quota_daily', [550], null, /daily (user |smtp relay )?(sending )?(limit|quota) exceeded/i],
  ['rate_limited', [421, 450], null, /peak smtp relay limit|unusual rate|receiving mail (too quickly|at a rate)/i],
  ['mailbox_refused', [550], null, /unusual rate/i],
  ['mail_refused', [421], null, /(ip not in whitelist|tls required) for rcpt domain/i],
  ['google_unavailable', [421, 451, 454], null, /temporary system problem|temporarily rejected|connection expired|timeout|server busy/i],
  ['rate_limited', [454], null, null], // nodemailer calls this EAUTH too; it says nothing about the token
  ['rate_limited', [421], /^4\.7\.\d+$/, null],
  ['mailbox_refused', [534], null, null],
  ['mailbox_refused', [535], null, /application-specific password|web browser/i],
  ['token_refused', [535], null, null],
  ['token_refused', [530], null, /authentication required/i], // a session that Gmail no longer treats as signed in
  ['too_large', [552], /^5\.(3\.4|2\.3)$/, null],
  ['too_large', [552], null, /exceed/i],
  ['mail_refused', [552], /^5\.7\.0$/, null],
  ['mail_refused', [452, 550, 552], null, /too many recipients/i],
  ['mail_refused', [452, 550, 552], /^[45]\.5\.3$/, null],
  ['mailbox_refused', [421, 451, 550], /^[45]\.7\.(24|25|26|27|30|32)$/, null], // SPF, DKIM or DMARC of the sending domain
  ['mailbox_refused', [550], null, /mail sending denied|relay denied|invalid credentials for relay/i],
  ['mail_refused', [550, 553], /^5\.1\.\d+$/, null],
  ['mail_refused', [550, 552, 554], /^5\.(2|6|7)\.\d+$/, null], // the recipient's mailbox, the form, the content or a policy
  ['mail_refused', [554], /^5\.4\.6$/, null],
  ['mail_refused', [501, 553, 555], /^5\.(5\.2|7\.11)$/, /syntax error/i],
];

/**
 * The failure for a problem on an SMTP connection: by reply code, enhanced code and words, never by the client's own error code.
 * Without a reply the phase decides: once bytes of the message were sent, the outcome is unknown. A refusal, even of the message
 * itself, means that Gmail did not accept it. The failure leaves out the reply's text, which may quote an address.
 */
export function readSmtpFailure({ phase, reply, cause, challenge }: SmtpTrouble): MailFailure {
  const { code, enhanced, text } = readReply(reply);
  if (code < 400) {
    const detail = `no answer from Gmail's SMTP (${phase}): ${cause}`;
    // The client's own refusals, before it sends a command: the size that the server announced, an address.
    if (phase === 'envelope' && cause === 'EMESSAGE')
      return new MailFailure('too_large', 'The email is larger than the SMTP server takes.');
    if (phase === 'envelope' && cause === 'EENVELOPE') return new MailFailure('mail_refused', 'An address does not fit an SMTP envelope.');
    return new MailFailure(phase === 'data' ? 'delivery_unknown' : 'google_unavailable', detail);
  }
  const said = challenge ? `, challenge ${challenge.status} ${challenge.scope}`.trimEnd() : '';
  const detail = `Gmail's SMTP answered ${code}${enhanced && ` ${enhanced}`} (${phase})${said}`;
  if (challenge && LACKS_SCOPE.test(challenge.status)) return new MailFailure('scope_missing', detail);
  const fits = ([, codes, pattern, says]: Rule): boolean =>
    codes.includes(code) && (pattern?.test(enhanced) ?? true) && (says?.test(text) ?? true);
  const otherwise = challenge ? 'token_refused' : code < 500 ? 'google_unavailable' : 'unexpected';
  return new MailFailure(RULES.find(fits)?.[0] ?? otherwise, detail);
}

// Gmail itself sends 400 for a bad token and for a token without the scope; RFC 7628 has a word for the latter.
const LACKS_SCOPE = /^(403|insufficient_scope)$/;
