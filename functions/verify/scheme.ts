import type { HeaderValues } from './headers.ts';

/** How a route's webhook proves where it comes from. */
export interface Hook {
  readonly verify: 'standard-webhooks' | 'github' | 'slack' | 'stripe' | 'hmac' | 'google-oidc' | 'bearer';
  /** Id of the secret in Secret Manager; '' for google-oidc, which has none. */
  readonly secret: string;
  /** How far a signed timestamp may lie in the past or in the future. */
  readonly toleranceSeconds: number;
  /** Only for `hmac`. */
  readonly hmac?: HmacForm;
  /** Only for `google-oidc`: whom the token was made for, and who must have asked for it. */
  readonly google?: { readonly audience: string; readonly email: string };
}

/** Where the signature of `verify: hmac` stands, and how it is written. */
export interface HmacForm {
  readonly header: string;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  /** Text before the signature, such as `sha256=`. */
  readonly prefix: string;
  /** Header of a timestamp in seconds; then `<timestamp>:<body>` is signed, as Grafana does it. */
  readonly timestamp?: string;
}

/** A request as it came: the signature is over these bytes and no others. `now` is milliseconds since the epoch. */
export interface Signed {
  readonly headers: HeaderValues;
  readonly body: Buffer;
  readonly now: number;
}

/** What a request offers as proof; reading it needs no secret. */
export interface Proof {
  /** Compares in constant time. Throws MailFailure hook_secret_unusable where the scheme's secrets have another form. */
  matches(secret: string): Promise<boolean>;
  /** The vendor's id of this event where the signature covers it; the same on each redelivery. */
  readonly eventId?: string;
}

/** Reads a scheme's headers; null for a request that is unsigned, malformed or out of time. */
export type ReadProof = (signed: Signed, hook: Hook) => Proof | null;
