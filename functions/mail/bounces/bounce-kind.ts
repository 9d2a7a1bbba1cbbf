import type { BounceKind } from '../model/email-event.ts';

const PERMANENT: BounceKind = { type: 'Permanent', subType: 'General' };
const UNDETERMINED: BounceKind = { type: 'Undetermined', subType: 'Undetermined' };
const transient = (subType: string): BounceKind => ({ type: 'Transient', subType });

/** Enhanced status codes (RFC 3463), most particular first. What is about the message or the moment says nothing against the address. */
const KINDS: readonly (readonly [RegExp, BounceKind])[] = [
  [/^5\.1\.(1|10)$/, { type: 'Permanent', subType: 'NoEmail' }],
  [/^[45]\.2\.2$/, transient('MailboxFull')],
  [/^[45]\.(2\.3|3\.4)$/, transient('MessageTooLarge')],
  [/^5\.[67]\./, transient('ContentRejected')],
  [/^5\.(3\.|4\.7$)/, transient('General')], // a full disk of theirs, or it was tried for too long
  [/^5\./, PERMANENT],
  [/^4\./, transient('General')],
];

/** What became of one recipient by its action and status (RFC 3464, 2.3.3 and 2.3.4): a kind of bounce, a delay, or nothing bad (null). */
export function kindOf(action: string, status: string | null): BounceKind | 'delayed' | null {
  if (action === 'delayed') return 'delayed';
  if (action !== 'failed') return null;
  return status === null ? UNDETERMINED : (KINDS.find(([form]) => form.test(status))?.[1] ?? UNDETERMINED);
}

/** By the headers alone: that a recipient is named as failed is all that is known. */
export const kindByHeaders = (named: boolean): BounceKind => (named ? PERMANENT : UNDETERMINED);
