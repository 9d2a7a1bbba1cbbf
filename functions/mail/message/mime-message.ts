/** What makes a mail this one mail: its id (a UUID) and when it was accepted, in milliseconds since the epoch. */
export interface Stamp {
  readonly id: string;
  readonly acceptedAt: number;
}

/** A composed mail: MIME bytes and its envelope. */
export interface MimeMessage {
  readonly bytes: Uint8Array;
  /** As it stands in the header, with angle brackets. */
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

/** `<id@domain of the sender>`. */
export const messageId = (id: string, address: string): string => `<${id}@${address.slice(address.lastIndexOf('@') + 1)}>`;
