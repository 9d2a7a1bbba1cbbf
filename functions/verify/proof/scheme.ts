import type { Hook } from '../../mail/model/route.ts';
import type { HeaderValues } from './header-values.ts';

/** A request as it came: the signature is over these bytes and no others. `now` is milliseconds since the epoch. */
export interface Signed {
  readonly headers: HeaderValues;
  readonly body: Buffer;
  readonly now: number;
}

/** What a request offers as proof; reading it needs no secret, and parses nothing of the body. */
export interface WebhookProof {
  /** Compares in constant time. Throws MailFailure hook_secret_unusable where the scheme's secrets have another form. */
  matches(secret: string): Promise<boolean>;
  /**
   * The vendor's id of this event where the signature covers it; the same on each redelivery. It may be read from the body,
   * so it is asked for only once the proof fits.
   */
  readonly eventId?: string | undefined;
}

/** What is to be signed: the body as it is sent, seconds since the epoch, and an id for schemes that sign one. */
export interface Unsigned {
  readonly body: Buffer;
  readonly at: number;
  readonly eventId: string;
}

/** Settings of a hook in the config beside `verify`, `secret` and `toleranceSeconds`. */
export type Setting = 'header' | 'algorithm' | 'encoding' | 'prefix' | 'timestamp' | 'audience' | 'email' | 'rememberFor';

/** All that is particular to one way of proving where a webhook comes from: one file in schemes/, one row in its table. */
export interface Scheme {
  /** Reads the scheme's headers; null for a request that is unsigned, malformed or out of time. */
  read(signed: Signed, hook: Hook): WebhookProof | null;
  /** The headers by which a vendor would prove it, for trying a route out. Throws MailFailure: hook_secret_unusable. */
  sign(secret: string, unsigned: Unsigned, hook: Hook): Promise<Record<string, string>>;
  /** How long an event without an id stays known, in milliseconds; absent: as long as a platform may deliver it again. */
  replayMs?(hook: Hook): number;
  /** What the vendor asks for when the webhook is set up, and has no email of its own; null for an event. */
  handshake?(event: Readonly<Record<string, unknown>>, headers: HeaderValues): Record<string, unknown> | null;
  /** Form of its secret; null for a scheme that has none. */
  readonly secret: SecretForm | null;
  /** True where an identity token of Google's is the proof, which the function itself has verified. */
  readonly identity?: true;
  /** Settings that it needs, and others that it takes. Any other one is a problem of the config. */
  readonly needs: readonly Setting[];
  readonly takes: readonly Setting[];
}

export interface SecretForm {
  /** A new secret of that form, from 32 random bytes. */
  make(random: Buffer): string;
  /** The part of it that nobody may guess. */
  core(secret: string): string;
  /** How a shell makes the headers from a file with the secret, where it is sent as it is: so it is never printed. */
  shell?(file: string): Record<string, string>;
}

const SECOND_MS = 1_000;
export const HOUR_MS = 60 * 60 * SECOND_MS;

/**
 * Who holds a token, a password or an identity needs no replay, and says the same again on purpose: an alert that still
 * stands. So an equal body is a redelivery within the hour only, or for as long as the route says.
 */
export const rememberFor = ({ rememberMs = HOUR_MS }: Hook): number => rememberMs;

/** A secret that is any text. */
export const ANY_TEXT: SecretForm = { make: (random) => random.toString('base64url'), core: (secret) => secret };
