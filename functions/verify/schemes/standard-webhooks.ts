import { MailFailure } from '../../mail/model/failure.ts';
import { freshTimestamp, headerOf } from '../proof/header-values.ts';
import { sameText } from '../proof/mac.ts';
import type { Scheme } from '../proof/scheme.ts';

const SIGNATURES_MAX = 8;
const NAMES = ['webhook', 'svix'] as const;
const ID = /^[\x21-\x7e]{1,200}$/;

/**
 * Standard Webhooks (standardwebhooks.com): `webhook-signature` holds one or more `v1,<base64>` over
 * `<webhook-id>.<webhook-timestamp>.<body>`. The library makes the signature; clock, tolerance and comparison are ours, since the
 * library's `verify` takes neither another tolerance nor a clock. Svix, and vendors that send through it (Clerk, Resend), use the
 * same three headers with the prefix `svix-` (docs.svix.com, "Verifying Webhooks Manually").
 */
export const standardWebhooks: Scheme = {
  read({ headers, body, now }, { toleranceSeconds }) {
    const name = NAMES.find((one) => headers[`${one}-id`] !== undefined) ?? NAMES[0];
    const id = headerOf(headers, `${name}-id`);
    const at = freshTimestamp(headerOf(headers, `${name}-timestamp`), now, toleranceSeconds);
    const given = (headerOf(headers, `${name}-signature`) ?? '').split(' ').filter((one) => one.startsWith('v1,'));
    if (id === null || !ID.test(id) || at === null || given.length === 0 || given.length > SIGNATURES_MAX) return null;
    return {
      eventId: id,
      async matches(secret) {
        if (!isUtf8(body)) return false;
        const wanted = (await webhookOf(secret)).sign(id, new Date(at * 1_000), body.toString('utf8'));
        return (await Promise.all(given.map((one) => sameText(one, wanted)))).includes(true);
      },
    };
  },
  async sign(secret, { body, at, eventId }) {
    const signature = (await webhookOf(secret)).sign(eventId, new Date(at * 1_000), body.toString('utf8'));
    return { 'webhook-id': eventId, 'webhook-timestamp': String(at), 'webhook-signature': signature };
  },
  secret: {
    make: (random) => `whsec_${random.toString('base64')}`,
    core: (secret) => secret.replace(/^(v1,)?whsec_/, ''),
  },
  needs: [],
  takes: [],
};

/** A secret of Standard Webhooks: base64, usually after `whsec_`. Throws MailFailure: hook_secret_unusable. */
async function webhookOf(secret: string) {
  const { Webhook } = (await import('standardwebhooks')).default; // CommonJS: a bundle has it under `default` alone
  try {
    return new Webhook(secret.replace(/^v1,(?=whsec_)/, '')); // as Supabase shows its secrets
  } catch {
    throw new MailFailure('hook_secret_unusable', 'a secret of standard-webhooks is base64, usually behind whsec_'); // the library's message may quote it
  }
}

/**
 * The library signs text. Invalid UTF-8 would become the same replacement character everywhere, and different bodies would have
 * one signature.
 */
function isUtf8(body: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(body);
    return true;
  } catch {
    return false;
  }
}
