/** A string that cannot be printed: not by JSON, a template, inspection or an error. `reveal()` is the only way in. */
export class SecretString {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }
}

/** A minted access token; `secret` keeps it out of every print. */
export interface AccessToken {
  readonly secret: { reveal(): string };
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The project that calls are charged to, for a person's own credentials; a service account's own where it is absent. */
  readonly quotaProject?: string;
}
