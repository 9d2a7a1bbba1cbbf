import { freshTimestamp, headerOf } from '../proof/header-values.ts';
import { decodeMac, makeMac } from '../proof/mac.ts';
import { macProof, prefixed } from '../proof/mac-proof.ts';
import { ANY_TEXT, type Scheme } from '../proof/scheme.ts';

/** docs.slack.dev, "Verifying requests from Slack": `v0=<hex>` over `v0:<timestamp>:<body>`. */
export const slack: Scheme = {
  read({ headers, body, now }, { toleranceSeconds }) {
    const at = freshTimestamp(headerOf(headers, 'x-slack-request-timestamp'), now, toleranceSeconds);
    const given = headerOf(headers, 'x-slack-signature');
    if (at === null || !given?.startsWith('v0=')) return null;
    return macProof('sha256', [decodeMac(given.slice(3), 'hex', 'sha256')], prefixed(`v0:${at}:`, body));
  },
  sign: async (secret, { body, at }) => ({
    'X-Slack-Request-Timestamp': String(at),
    'X-Slack-Signature': `v0=${(await makeMac('sha256', secret, prefixed(`v0:${at}:`, body))).toString('hex')}`,
  }),
  handshake: ({ type, challenge }) => (type === 'url_verification' && typeof challenge === 'string' ? { challenge } : null),
  secret: ANY_TEXT,
  needs: [],
  takes: [],
};
