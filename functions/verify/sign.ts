import type { Hook } from '../mail/model/route.ts';
import { makeMac } from './mac.ts';
import { webhookOf } from './standard-webhooks.ts';

/**
 * The headers by which a vendor would prove this body, for trying a route out. `now` is milliseconds since the epoch.
 * google-oidc has none that anybody but Google could make. Throws MailFailure: hook_secret_unusable.
 */
export async function signAs(hook: Hook, secret: string, body: Buffer, now: number, eventId: string): Promise<Record<string, string>> {
  const at = Math.floor(now / 1_000);
  const hex = async (text: string): Promise<string> =>
    (await makeMac('sha256', secret, Buffer.concat([Buffer.from(text), body]))).toString('hex');
  switch (hook.verify) {
    case 'standard-webhooks': {
      const signature = (await webhookOf(secret)).sign(eventId, new Date(at * 1_000), body.toString('utf8'));
      return { 'webhook-id': eventId, 'webhook-timestamp': String(at), 'webhook-signature': signature };
    }
    case 'github':
      return { 'X-Hub-Signature-256': `sha256=${await hex('')}` };
    case 'slack':
      return { 'X-Slack-Request-Timestamp': String(at), 'X-Slack-Signature': `v0=${await hex(`v0:${at}:`)}` };
    case 'stripe':
      return { 'Stripe-Signature': `t=${at},v1=${await hex(`${at}.`)}` };
    case 'hmac': {
      const { header = '', algorithm = 'sha256', encoding = 'hex', prefix = '', timestamp } = hook.hmac ?? {};
      const data = timestamp === undefined ? body : Buffer.concat([Buffer.from(`${at}:`), body]);
      const signature = `${prefix}${(await makeMac(algorithm, secret, data)).toString(encoding)}`;
      return { [header]: signature, ...(timestamp !== undefined && { [timestamp]: String(at) }) };
    }
    case 'bearer':
      return { Authorization: `Bearer ${secret}` };
    case 'basic':
      return { Authorization: `Basic ${Buffer.from(secret).toString('base64')}` };
    case 'google-oidc':
      return {};
  }
}
