/** What makes an email this one mail: its id (a UUID) and when it was accepted, in milliseconds since the epoch. */
export interface Stamp {
  readonly id: string;
  readonly acceptedAt: number;
  /** Whether a composed message names the id in a header of our own; what was accepted before there was one is composed without it. */
  readonly idHeader?: boolean;
}

/** A composed mail: MIME bytes and its envelope. */
export interface MimeMessage {
  readonly bytes: Uint8Array;
  /** As it stands in the header, with angle brackets. */
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

/**
 * The header of our own that names the email's id: Gmail may replace the Message-ID of what comes by its API, and does not touch
 * headers that it does not know.
 */
export const ID_HEADER = 'X-Mailgrant-Id';

/** `<id@domain of the sender>`. */
export const messageId = (id: string, address: string): string => `<${id}@${address.slice(address.lastIndexOf('@') + 1)}>`;
