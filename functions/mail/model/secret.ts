/** A string that cannot be printed: not by JSON, a template, inspection or an error. Only `reveal()` returns it. */
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

/** An access token; `secret` cannot be printed. */
export interface AccessToken {
  readonly secret: { reveal(): string };
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The project that Google charges the calls to, for a person's own credentials; absent for a service account's own project. */
  readonly quotaProject?: string;
}
