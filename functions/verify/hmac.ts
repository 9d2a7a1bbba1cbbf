import { headerOf, timelyOf } from './header-values.ts';
import { type Algorithm, decodeMac, verifyMac } from './mac.ts';
import type { Proof, ReadProof, Signed } from './scheme.ts';

/** docs.github.com, "Validating webhook deliveries": `X-Hub-Signature-256: sha256=<hex>` over the body alone. */
export const readGitHub: ReadProof = ({ headers, body }) => {
  const given = headerOf(headers, 'x-hub-signature-256');
  return given?.startsWith('sha256=') ? proof('sha256', [decodeMac(given.slice(7), 'hex', 'sha256')], body) : null;
};

/** docs.slack.dev, "Verifying requests from Slack": `v0=<hex>` over `v0:<timestamp>:<body>`. */
export const readSlack: ReadProof = (signed, { toleranceSeconds }) => {
  const at = timelyOf(headerOf(signed.headers, 'x-slack-request-timestamp'), signed.now, toleranceSeconds);
  const given = headerOf(signed.headers, 'x-slack-signature');
  if (at === null || !given?.startsWith('v0=')) return null;
  return proof('sha256', [decodeMac(given.slice(3), 'hex', 'sha256')], behind(`v0:${at}:`, signed));
};

const SIGNATURES_MAX = 8;

/**
 * docs.stripe.com, "Verify webhook signatures manually": `Stripe-Signature: t=<timestamp>,v1=<hex>[,v1=<hex>]` over
 * `<timestamp>.<body>`; while a secret is being rotated there is one v1 for each. Other versions are not looked at.
 */
export const readStripe: ReadProof = (signed, { toleranceSeconds }) => {
  const pairs = (headerOf(signed.headers, 'stripe-signature') ?? '').split(',').map((pair) => pair.split('='));
  const values = (name: string): string[] =>
    pairs.flatMap(([key, value = '', ...more]) => (key?.trim() === name && more.length === 0 ? [value] : []));
  const [time = null, ...others] = values('t');
  const at = timelyOf(time, signed.now, toleranceSeconds);
  const given = values('v1');
  if (at === null || others.length > 0 || given.length > SIGNATURES_MAX) return null;
  return proof(
    'sha256',
    given.map((one) => decodeMac(one, 'hex', 'sha256')),
    behind(`${at}.`, signed),
    stripeEvent(signed.body),
  );
};

/** The id is read from the signed body: a retry may differ from the first delivery in `pending_webhooks`. */
function stripeEvent(body: Buffer): string | undefined {
  try {
    const id = (JSON.parse(body.toString('utf8')) as { id?: unknown } | null)?.id;
    return typeof id === 'string' && /^[\w-]{1,100}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Anybody else's HMAC over the body, or over `<timestamp>:<body>` where a header with the timestamp is named. */
export const readHmac: ReadProof = (signed, { hmac, toleranceSeconds }) => {
  if (!hmac) return null;
  const { header, algorithm, encoding, prefix, timestamp } = hmac;
  const given = headerOf(signed.headers, header);
  if (!given?.startsWith(prefix)) return null;
  const mac = decodeMac(given.slice(prefix.length), encoding, algorithm);
  if (timestamp === undefined) return proof(algorithm, [mac], signed.body);
  const at = timelyOf(headerOf(signed.headers, timestamp), signed.now, toleranceSeconds);
  return at === null ? null : proof(algorithm, [mac], behind(`${at}:`, signed));
};

const behind = (head: string, { body }: Signed): Buffer => Buffer.concat([Buffer.from(head), body]);

function proof(algorithm: Algorithm, given: readonly (Buffer | null)[], data: Buffer, eventId?: string): Proof | null {
  const macs = given.filter((mac) => mac !== null);
  if (macs.length === 0) return null;
  return {
    matches: async (secret) => (await Promise.all(macs.map((mac) => verifyMac(algorithm, secret, mac, data)))).includes(true),
    ...(eventId !== undefined && { eventId }),
  };
}
