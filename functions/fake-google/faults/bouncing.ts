/** Who writes a delivery status notification, and what it says. */
export const REPORTERS = ['gmail', 'exchange', 'postfix', 'exim'] as const;
export const REPORT_KINDS = ['no-user', 'full', 'delay'] as const;

/** How a recipient bounces. */
export interface Bouncing {
  readonly by?: (typeof REPORTERS)[number];
  readonly kind?: (typeof REPORT_KINDS)[number];
  /** It comes from somebody who is not who it says, and Gmail notes that. */
  readonly forged?: boolean;
  readonly recipient?: string;
  /** The Message-ID that it names, without angle brackets: by default the one that the email was sent with, which Gmail may have replaced. */
  readonly messageId?: string;
}

/** What is wrong with how a recipient is to bounce, or null. */
export function bouncingProblem(value: unknown): string | null {
  const { by, kind, forged, recipient, messageId, ...more } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (by !== undefined && !(REPORTERS as readonly unknown[]).includes(by)) return `bouncing.by: expected one of ${REPORTERS.join(', ')}`;
  if (kind !== undefined && !(REPORT_KINDS as readonly unknown[]).includes(kind))
    return `bouncing.kind: expected one of ${REPORT_KINDS.join(', ')}`;
  if (forged !== undefined && typeof forged !== 'boolean') return 'bouncing.forged: expected true or false';
  if (recipient !== undefined && typeof recipient !== 'string') return 'bouncing.recipient: expected an address';
  if (messageId !== undefined && typeof messageId !== 'string') return 'bouncing.messageId: expected a text';
  const [unknown] = Object.keys(more);
  return unknown === undefined ? null : `bouncing.${unknown}: unknown`;
}
