import type { Hook } from '../mail/model/route.ts';
import type { HeaderValues } from './header-values.ts';

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
