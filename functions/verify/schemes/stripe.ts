import { freshTimestamp, headerOf } from '../proof/header-values.ts';
import { decodeMac, makeMac } from '../proof/mac.ts';
import { macProof, prefixed } from '../proof/mac-proof.ts';
import { ANY_TEXT, type Scheme } from '../proof/scheme.ts';

const SIGNATURES_MAX = 8;

/**
 * docs.stripe.com, "Verify webhook signatures manually": `Stripe-Signature: t=<timestamp>,v1=<hex>[,v1=<hex>]` over
 * `<timestamp>.<body>`; while a secret is rotated there is one v1 for each secret. Other versions are ignored.
 */
export const stripe: Scheme = {
  read({ headers, body, now }, { toleranceSeconds }) {
    const pairs = (headerOf(headers, 'stripe-signature') ?? '').split(',').map((pair) => pair.split('='));
    const values = (name: string): string[] =>
      pairs.flatMap(([key, value = '', ...more]) => (key?.trim() === name && more.length === 0 ? [value] : []));
    const [time = null, ...others] = values('t');
    const at = freshTimestamp(time, now, toleranceSeconds);
    const given = values('v1');
    if (at === null || others.length > 0 || given.length > SIGNATURES_MAX) return null;
    const proof = macProof(
      'sha256',
      given.map((one) => decodeMac(one, 'hex', 'sha256')),
      prefixed(`${at}.`, body),
    );
    if (!proof) return null;
    return {
      matches: proof.matches,
      get eventId() {
        return eventIdIn(body);
      },
    };
  },
  sign: async (secret, { body, at }) => ({
    'Stripe-Signature': `t=${at},v1=${(await makeMac('sha256', secret, prefixed(`${at}.`, body))).toString('hex')}`,
  }),
  secret: { ...ANY_TEXT, core: (secret) => secret.replace(/^whsec_/, '') },
  needs: [],
  takes: [],
};

/** The id is read from the signed body: a retry may differ from the first delivery in `pending_webhooks`. */
function eventIdIn(body: Buffer): string | undefined {
  try {
    const id = (JSON.parse(body.toString('utf8')) as { id?: unknown } | null)?.id;
    return typeof id === 'string' && /^[\w-]{1,100}$/.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
