import { headerOf } from '../proof/header-values.ts';
import { decodeMac, makeMac } from '../proof/mac.ts';
import { macProof } from '../proof/mac-proof.ts';
import { ANY_TEXT, type Scheme } from '../proof/scheme.ts';

/** docs.github.com, "Validating webhook deliveries": `X-Hub-Signature-256: sha256=<hex>` over the body alone. */
export const github: Scheme = {
  read({ headers, body }) {
    const given = headerOf(headers, 'x-hub-signature-256');
    return given?.startsWith('sha256=') ? macProof('sha256', [decodeMac(given.slice(7), 'hex', 'sha256')], body) : null;
  },
  sign: async (secret, { body }) => ({ 'X-Hub-Signature-256': `sha256=${(await makeMac('sha256', secret, body)).toString('hex')}` }),
  handshake: (event, headers) => (headers['x-github-event']?.[0] === 'ping' && 'hook_id' in event ? {} : null),
  secret: ANY_TEXT,
  needs: [],
  takes: [],
};
