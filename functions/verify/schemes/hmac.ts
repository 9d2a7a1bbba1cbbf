import { freshTimestamp, headerOf } from '../proof/header-values.ts';
import { decodeMac, makeMac } from '../proof/mac.ts';
import { macProof, prefixed } from '../proof/mac-proof.ts';
import { ANY_TEXT, HOUR_MS, type Scheme } from '../proof/scheme.ts';

const REPLAY_MS = 32 * 24 * HOUR_MS;

/**
 * Any other vendor's HMAC over the body, or over `<timestamp>:<body>` where the configuration names a header with the timestamp.
 */
export const hmac: Scheme = {
  read({ headers, body, now }, { hmac: form, toleranceSeconds }) {
    if (!form) return null;
    const { header, algorithm, encoding, prefix, timestamp } = form;
    const given = headerOf(headers, header);
    if (!given?.startsWith(prefix)) return null;
    const mac = decodeMac(given.slice(prefix.length), encoding, algorithm);
    if (timestamp === undefined) return macProof(algorithm, [mac], body);
    const at = freshTimestamp(headerOf(headers, timestamp), now, toleranceSeconds);
    return at === null ? null : macProof(algorithm, [mac], prefixed(`${at}:`, body));
  },
  async sign(secret, { body, at }, { hmac: form }) {
    const { header = '', algorithm = 'sha256', encoding = 'hex', prefix = '', timestamp } = form ?? {};
    const data = timestamp === undefined ? body : prefixed(`${at}:`, body);
    const signature = `${prefix}${(await makeMac(algorithm, secret, data)).toString(encoding)}`;
    return { [header]: signature, ...(timestamp !== undefined && { [timestamp]: String(at) }) };
  },
  // A timestamp from the future is accepted until it lies as far in the past: twice the tolerance.
  replayMs: ({ hmac: form, toleranceSeconds }) =>
    form?.timestamp === undefined ? REPLAY_MS : Math.max(HOUR_MS, 2 * toleranceSeconds * 1_000),
  secret: ANY_TEXT,
  needs: ['header'],
  takes: ['algorithm', 'encoding', 'prefix', 'timestamp'],
};
