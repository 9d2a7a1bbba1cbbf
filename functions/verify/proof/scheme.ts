import type { Hook } from '../../mail/model/route.ts';
import type { HeaderValues } from './header-values.ts';

/** A request as received: the signature covers exactly these bytes. `now` is milliseconds since the epoch. */
export interface Signed {
  readonly headers: HeaderValues;
  readonly body: Buffer;
  readonly now: number;
}

/** A request's proof of its origin; reading it needs no secret, and parses nothing of the body. */
export interface WebhookProof {
  /** Compares in constant time. Throws MailFailure hook_secret_unusable where the scheme's secrets have another form. */
  matches(secret: string): Promise<boolean>;
  /**
   * The vendor's id of this event, where the signature covers it; the same on each redelivery. It may be read from the body, so
   * it is read only after the proof matched.
   */
  readonly eventId?: string | undefined;
}

/** What is to be signed: the body as sent, seconds since the epoch, and an id for schemes that sign one. */
export interface Unsigned {
  readonly body: Buffer;
  readonly at: number;
  readonly eventId: string;
}

/** Settings of a hook in the configuration beside `verify`, `secret` and `toleranceSeconds`. */
export type Setting = 'header' | 'algorithm' | 'encoding' | 'prefix' | 'timestamp' | 'audience' | 'email' | 'rememberFor';

/** Everything particular to one way of proving a webhook's origin: one file in schemes/, one row in its table. */
export interface Scheme {
  /** Reads the scheme's headers; null for a request that is unsigned, malformed or out of time. */
  read(signed: Signed, hook: Hook): WebhookProof | null;
  /** The headers that a vendor would send with this body, for trying a route. Throws MailFailure: hook_secret_unusable. */
  sign(secret: string, unsigned: Unsigned, hook: Hook): Promise<Record<string, string>>;
  /** How long an event without an id is remembered, in milliseconds; absent: as long as a platform may redeliver it. */
  replayMs?(hook: Hook): number;
  /** The answer to the vendor's set-up request, which becomes no email; null for an event. */
  handshake?(event: Readonly<Record<string, unknown>>, headers: HeaderValues): Record<string, unknown> | null;
  /** Form of its secret; null for a scheme without a secret. */
  readonly secret: SecretForm | null;
  /** True where the proof is an identity token of Google's that the function itself has verified. */
  readonly identity?: true;
  /** Settings that the scheme requires; `takes` are optional. Any other setting is a problem of the configuration. */
  readonly needs: readonly Setting[];
  readonly takes: readonly Setting[];
}

export interface SecretForm {
  /** A new secret of that form, from 32 random bytes. */
  make(random: Buffer): string;
  /** The part of the secret that must be impossible to guess. */
  core(secret: string): string;
  /** How a shell reads the headers from a file with the secret, where the secret is sent unchanged: so it is never printed. */
  shell?(file: string): Record<string, string>;
}

const SECOND_MS = 1_000;
export const HOUR_MS = 60 * 60 * SECOND_MS;

/**
 * A holder of a token, a password or an identity needs no replay, and repeats a body on purpose: an alert that still fires. So an
 * equal body is a redelivery only within the hour, or for as long as the route says.
 */
export const rememberFor = ({ rememberMs = HOUR_MS }: Hook): number => rememberMs;

/** A secret that is any text. */
export const ANY_TEXT: SecretForm = { make: (random) => random.toString('base64url'), core: (secret) => secret };
