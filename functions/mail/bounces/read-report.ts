import { normaliseAddress, parseAddress } from '../model/address.ts';
import { isGoogle, type Proof, type ReceivedHeader, senderProof, withoutComments } from './authenticity.ts';

/** A delivery status notification, as far as its headers tell. */
export interface Report {
  /** `unknown`: it may be a failure or a delay; only its body says. */
  readonly kind: 'failed' | 'delayed' | 'unknown';
  /** Recipients that it says have failed; none where the headers do not name them. */
  readonly failed: readonly string[];
  /** Message-ID of the email that it is about, without angle brackets; null where it names none. */
  readonly about: string | null;
  /** Domain in From; '' where there is no such one. */
  readonly domain: string;
  readonly proof: Proof;
}

/** Headers that `readReport` looks at. */
export const REPORT_HEADERS = [
  'From',
  'Subject',
  'Content-Type',
  'Auto-Submitted',
  'X-Failed-Recipients',
  'In-Reply-To',
  'References',
  'Authentication-Results',
] as const;

const DAEMON = /^(mailer-daemon|mail-daemon|postmaster)@/i;
// Wordings of Gmail, Postfix, Exim and Exchange: their headers have nothing else that tells a delay from a failure.
const DELAY = /\(delay\)|delayed mail|still being retried|delivery delayed|^warning: message \S+ delayed/i;
const FAILED_MAX = 100;

/** What a message is by its headers: a report, an answer by a machine such as an out-of-office reply, or something else (null). */
export function readReport(headers: readonly ReceivedHeader[]): Report | 'auto_reply' | null {
  const all = (name: string): string[] => headers.filter((one) => one.name.toLowerCase() === name).map(({ value }) => value);
  const [type = '', submitted = '', subject = ''] = ['content-type', 'auto-submitted', 'subject'].map((name) => all(name)[0] ?? '');
  const [from = '', ...more] = all('from');
  const failed = [...new Set(all('x-failed-recipients').flatMap((value) => value.split(',')))].flatMap(addressIn).slice(0, FAILED_MAX);
  const address = (parseAddress(from) ?? parseAddress(withoutComments(from).trim()))?.address ?? ''; // Postfix writes the name as a comment
  const formal = /^multipart\/report\s*;/i.test(type) && /;\s*report-type\s*=\s*"?delivery-status"?\s*(;|$)/i.test(type);
  // Without the form of RFC 3464, as older servers write them.
  const informal = failed.length > 0 && DAEMON.test(address) && !/^multipart\/report\b/i.test(type);
  if (!formal && !informal) return /^auto-(replied|generated)/i.test(submitted.trim()) ? 'auto_reply' : null;
  const domain = more.length > 0 ? '' : address.slice(address.lastIndexOf('@') + 1);
  const own = senderProof(headers, domain);
  return {
    kind: DELAY.test(subject) ? 'delayed' : failed.length > 0 ? 'failed' : 'unknown',
    failed,
    about: idIn(all('in-reply-to')) ?? idIn(all('references')),
    domain,
    proof: domain === '' ? 'forged' : own,
  };
}

/** The last Message-ID of the header: References ends with the message itself. */
const idIn = (values: readonly string[]): string | null => [...values.join(' ').matchAll(/<([^<>\s]{1,900})>/g)].at(-1)?.[1] ?? null;

function addressIn(text: string): string[] {
  const read = parseAddress(text.trim());
  return read ? [normaliseAddress(read.address)] : [];
}

/**
 * Whether a report may suppress the recipient: Google's own, or one by the recipient's domain or a domain below it. Anybody else could
 * name anyone; a domain above may be one that many share, such as co.uk, which is proven by a signature of any of them.
 */
export const mayJudge = ({ proof, domain }: Pick<Report, 'proof' | 'domain'>, recipient: string): boolean => {
  const own = recipient.slice(recipient.lastIndexOf('@') + 1);
  return proof === 'proven' && (isGoogle(domain) || domain === own || domain.endsWith(`.${own}`));
};
