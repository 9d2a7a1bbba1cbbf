/** What preparing and composing an email needs from outside; `Ports` of an invocation has all of it. */
export interface MessagePorts {
  now(): number;
  /** SHA-256 in hexadecimal. */
  digest(data: Uint8Array | string): string;
  fetchFile(url: string, maxBytes: number): Promise<Uint8Array>;
  /** null where nothing can be scheduled. */
  readonly taskQueue: object | null;
}
