import type { MimeMessage, Stamp } from '../message/mime-message.ts';
import type { PreparedEmail } from '../message/prepared-email.ts';
import { MailFailure } from '../model/failure.ts';
import type { Entry } from './ledger.ts';
import type { Alone, Ports } from './ports.ts';
import type { SubmissionContext } from './submission.ts';
import { createWithToken } from './with-token.ts';

/** A composed message and the upload session that was opened for it; no byte of the message has left. */
export interface OpenedUpload {
  readonly message: MimeMessage;
  readonly sessionUri: string;
}

/**
 * What is begun beside the claim of an email that is probably new: its token, its message, its upload session. The ledger, the token
 * endpoint and Gmail are each a round trip away, and none of the three calls needs the answer of the ledger. No byte of the email
 * leaves here: that waits for the claim, and for the session URI to be stored.
 */
export interface HeadStart {
  /** What the claimed entry must be called for `opened` to be its own. */
  readonly stamp: Stamp;
  /** Never looked at for another entry than the one of `stamp`. Null where only the token is begun. */
  readonly opened: Promise<OpenedUpload> | null;
  /** Nothing more is begun, and for a minute nothing beside a claim for this mailbox. */
  waste(): void;
}

/** A session that is opened for nothing uses the mailbox's quota: so at most one in this time, for each mailbox and instance. */
const PAUSE_MS = 60_000;

/**
 * What an email is called if something may be begun beside its claim; null for a minute after a head start that was for nothing.
 * Not for a platform, whose deliveries are often repetitions and wait for nothing, and not for a caller with limits of its own: each
 * of its refused requests would cost calls to Google.
 */
export function stampForHeadStart({ caller, retryFailed }: SubmissionContext, { sender }: PreparedEmail, ports: Ports): Stamp | null {
  const wastedAt = ports.wastedHeadStarts.get(sender.mailbox.address) ?? Number.NEGATIVE_INFINITY;
  if (!retryFailed || caller.limits !== undefined || ports.now() - wastedAt < PAUSE_MS) return null;
  return { id: ports.newId(), acceptedAt: ports.now(), idHeader: true };
}

/**
 * Begins beside the claim. Over SMTP, and for an email with files or in raw form, only the token: to compose those takes time and
 * memory, which an email that is known already should not cost.
 */
export function beginBesideClaim(stamp: Stamp, draft: PreparedEmail, ports: Ports): HeadStart {
  const { mailbox } = draft.sender;
  const gmail = ports.transport(mailbox);
  let wasted = false;
  const minting = ports.token(draft.sender);
  minting.catch(() => {}); // it is looked at only if the email is ours
  const open = async (): Promise<OpenedUpload> => {
    const [message] = await Promise.all([draft.compose(stamp, ports), minting]);
    if (wasted) throw new MailFailure('in_flight', 'the claim was answered otherwise');
    const sessionUri = await createWithToken(draft.sender, ports)((token) => gmail.openSession(message, token, NEVER_ALONE));
    return { message, sessionUri };
  };
  const opened = gmail.resumable && draft.textOnly ? open() : null;
  opened?.catch(() => {});
  return {
    stamp,
    opened,
    waste: () => {
      wasted = true;
      ports.wastedHeadStarts.set(mailbox.address, ports.now());
    },
  };
}

const NEVER_ALONE: Alone = async () => false; // asked over SMTP only

/** Whether the head start is this entry's: it was created under its stamp, and nobody has worked on it since. */
export const isFor = ({ stamp }: HeadStart, { id, acceptedAt, attempts, state }: Entry): boolean =>
  id === stamp.id && acceptedAt === stamp.acceptedAt && attempts === 1 && state === 'claimed';
