/** Identifies one email: its id (a UUID) and the time of its acceptance, in milliseconds since the epoch. */
export interface Stamp {
  readonly id: string;
  readonly acceptedAt: number;
  /**
   * Whether the message carries the id in a header (`X-Mailgrant-Id`); false for emails that were accepted before the header
   * existed.
   */
  readonly idHeader?: boolean;
}

/** A composed email: MIME bytes and envelope. */
export interface MimeMessage {
  readonly bytes: Uint8Array;
  /** As in the header, with angle brackets. */
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
}

/**
 * The header that carries the email's id. Gmail may replace the Message-ID of a message that comes over its API, and does not
 * change headers that it does not know.
 */
export const ID_HEADER = 'X-Mailgrant-Id';

/** `<id@domain of the sender>`. */
export const messageId = (id: string, address: string): string => `<${id}@${address.slice(address.lastIndexOf('@') + 1)}>`;
