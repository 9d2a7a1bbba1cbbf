import type { Scheme } from '../proof/scheme.ts';
import { basic } from './basic.ts';
import { bearer } from './bearer.ts';
import { github } from './github.ts';
import { googleOidc } from './google-oidc.ts';
import { hmac } from './hmac.ts';
import { slack } from './slack.ts';
import { standardWebhooks } from './standard-webhooks.ts';
import { stripe } from './stripe.ts';

/** Every webhook scheme by its name in the config: `hook: { verify: … }`. A new vendor is a file in this folder and a row here. */
export const SCHEMES: Readonly<Record<string, Scheme>> = {
  'standard-webhooks': standardWebhooks,
  github,
  slack,
  stripe,
  hmac,
  'google-oidc': googleOidc,
  bearer,
  basic,
};
