/** Genuine requests of each scheme, signed by the vendors' own libraries, or by node:crypto where a vendor has none. */
import { createHmac } from 'node:crypto';
import { sign as signGitHub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import type { Hook } from '../../functions/mail/model/route.ts';
import type { Signed } from '../../functions/verify/proof/scheme.ts';

export const NOW = Date.UTC(2026, 10, 24, 8);
export const SECOND = NOW / 1_000;

export const hookOf = (verify: Hook['verify'], change: Partial<Hook> = {}): Hook => ({
  verify,
  secret: 'hook-secret',
  toleranceSeconds: 300,
  ...change,
});

/** How one scheme signs: headers for a body, at a time, with a secret. */
export interface SignedCase {
  readonly name: string;
  readonly hook: Hook;
  readonly secret: string;
  readonly other: string;
  /** Headers that the proof stands in; taking one away unsigns the request. */
  readonly needs: readonly string[];
  readonly timed: boolean;
  /** The vendor's id of an event with the body {"id":"evt_1"}, where the signature covers one. */
  readonly eventId: string | null;
  sign(body: string, secret: string, at?: number): Promise<Record<string, string>>;
}

const stripe = new Stripe('sk_test_canary');
const hex = (algorithm: string, secret: string, text: string): string => createHmac(algorithm, secret).update(text).digest('hex');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

export const SIGNED_CASES: readonly SignedCase[] = [
  {
    name: 'standard-webhooks',
    hook: hookOf('standard-webhooks'),
    secret: `whsec_${base64('canary-standard-webhooks-one')}`,
    other: `whsec_${base64('canary-standard-webhooks-two')}`,
    needs: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
    timed: true,
    eventId: 'msg_1',
    sign: async (body, secret, at = SECOND) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(at),
      'webhook-signature': new Webhook(secret).sign('msg_1', new Date(at * 1_000), body),
    }),
  },
  {
    name: 'standard-webhooks as svix',
    hook: hookOf('standard-webhooks'),
    secret: `whsec_${base64('canary-svix-one')}`,
    other: `whsec_${base64('canary-svix-two')}`,
    needs: ['svix-id', 'svix-timestamp', 'svix-signature'],
    timed: true,
    eventId: 'msg_1',
    sign: async (body, secret, at = SECOND) => ({
      'svix-id': 'msg_1',
      'svix-timestamp': String(at),
      'svix-signature': new Webhook(secret).sign('msg_1', new Date(at * 1_000), body),
    }),
  },
  {
    name: 'github',
    hook: hookOf('github'),
    secret: 'canary-github-one',
    other: 'canary-github-two',
    needs: ['x-hub-signature-256'],
    timed: false,
    eventId: null,
    sign: async (body, secret) => ({
      // Octokit signs nothing that is empty.
      'x-hub-signature-256': body === '' ? `sha256=${hex('sha256', secret, body)}` : await signGitHub(secret, body),
    }),
  },
  {
    name: 'slack',
    hook: hookOf('slack'),
    secret: 'canary-slack-one',
    other: 'canary-slack-two',
    needs: ['x-slack-signature', 'x-slack-request-timestamp'],
    timed: true,
    eventId: null,
    sign: async (body, secret, at = SECOND) => ({
      'x-slack-request-timestamp': String(at),
      'x-slack-signature': `v0=${hex('sha256', secret, `v0:${at}:${body}`)}`,
    }),
  },
  {
    name: 'stripe',
    hook: hookOf('stripe'),
    secret: 'whsec_canary-stripe-one',
    other: 'whsec_canary-stripe-two',
    needs: ['stripe-signature'],
    timed: true,
    eventId: 'evt_1',
    sign: async (body, secret, at = SECOND) => ({
      'stripe-signature': stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at }),
    }),
  },
  {
    name: 'hmac in hex',
    hook: hookOf('hmac', { hmac: { header: 'X-Signature', algorithm: 'sha512', encoding: 'hex', prefix: '' } }),
    secret: 'canary-hmac-first',
    other: 'canary-hmac-other',
    needs: ['x-signature'],
    timed: false,
    eventId: null,
    sign: async (body, secret) => ({ 'x-signature': hex('sha512', secret, body) }),
  },
  {
    name: 'hmac in base64 with a prefix',
    hook: hookOf('hmac', { hmac: { header: 'X-Sum', algorithm: 'sha1', encoding: 'base64', prefix: 'sha1=' } }),
    secret: 'canary-hmac-first',
    other: 'canary-hmac-other',
    needs: ['x-sum'],
    timed: false,
    eventId: null,
    sign: async (body, secret) => ({ 'x-sum': `sha1=${createHmac('sha1', secret).update(body).digest('base64')}` }),
  },
  {
    name: 'hmac with a timestamp',
    hook: hookOf('hmac', {
      hmac: {
        header: 'X-Grafana-Alerting-Signature',
        algorithm: 'sha256',
        encoding: 'hex',
        prefix: '',
        timestamp: 'X-Grafana-Alerting-Timestamp',
      },
    }),
    secret: 'canary-grafana-one',
    other: 'canary-grafana-two',
    needs: ['x-grafana-alerting-signature', 'x-grafana-alerting-timestamp'],
    timed: true,
    eventId: null,
    sign: async (body, secret, at = SECOND) => ({
      'x-grafana-alerting-timestamp': String(at),
      'x-grafana-alerting-signature': hex('sha256', secret, `${at}:${body}`),
    }),
  },
  {
    name: 'bearer',
    hook: hookOf('bearer'),
    secret: 'canary-bearer-one',
    other: 'canary-bearer-two',
    needs: ['authorization'],
    timed: false,
    eventId: null,
    sign: async (_, secret) => ({ authorization: `Bearer ${secret}` }),
  },
  {
    name: 'basic',
    hook: hookOf('basic'),
    secret: 'monitoring:canary-grüße-one',
    other: 'monitoring:canary-basic-two',
    needs: ['authorization'],
    timed: false,
    eventId: null,
    sign: async (_, secret) => ({ authorization: `Basic ${base64(secret)}` }),
  },
];

/** A request as the function sees it. */
export const requestOf = (headers: Readonly<Record<string, string | string[]>>, body: string | Buffer, now = NOW): Signed => ({
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat()])),
  body: Buffer.from(body),
  now,
});
