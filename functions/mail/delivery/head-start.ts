import type { MimeMessage, Stamp } from '../message/mime-message.ts';
import type { PreparedEmail } from '../message/prepared-email.ts';
import { MailFailure } from '../model/failure.ts';
import type { Entry } from './ledger.ts';
import type { IsUniqueMessageId, Ports } from './ports.ts';
import type { SubmissionContext } from './submission.ts';
import { createWithToken } from './with-token.ts';

/** A composed message and the upload session that was opened for it; no byte of the message has left. */
export interface OpenedUpload {
  readonly message: MimeMessage;
  readonly sessionUri: string;
}

/**
 * Work that begins beside the claim of an email that is probably new: access token, MIME message, upload session. The ledger, the
 * token endpoint and Gmail are each one round trip away, and none of the three calls needs the answer of the ledger. No byte of
 * the email leaves here: the upload waits for the claim, and for the session URI to be stored.
 */
export interface HeadStart {
  /** Id and time of acceptance that the claimed entry must have for `opened` to belong to it. */
  readonly stamp: Stamp;
  /** Used only for the entry of `stamp`. Null where only the token is requested. */
  readonly opened: Promise<OpenedUpload> | null;
  /** Stops the work, and prevents a head start for this mailbox for one minute. */
  waste(): void;
}

/**
 * A session that is opened in vain uses the mailbox's quota. So, once one was in vain, an instance opens no more for the mailbox for a
 * minute.
 */
const PAUSE_MS = 60_000;

/**
 * The id and time for an email whose work may begin beside its claim; null for one minute after a head start in vain. Also null
 * for deliveries that are not retried after a failure: they are often redeliveries, and nobody waits for the answer; and for a caller
 * with limits of its own: each of its refused requests would cost calls to Google.
 */
export function stampForHeadStart({ caller, retryFailed }: SubmissionContext, { sender }: PreparedEmail, ports: Ports): Stamp | null {
  const wastedAt = ports.wastedHeadStarts.get(sender.mailbox.address) ?? Number.NEGATIVE_INFINITY;
  if (!retryFailed || caller.limits !== undefined || ports.now() - wastedAt < PAUSE_MS) return null;
  return { id: ports.newId(), acceptedAt: ports.now(), idHeader: true };
}

/**
 * Begins the work beside the claim. Over SMTP, and for an email with files or in raw form, only the token is requested: composing
 * such an email takes time and memory, which an email that is already known should not cost.
 */
export function beginBesideClaim(stamp: Stamp, draft: PreparedEmail, ports: Ports): HeadStart {
  const { mailbox } = draft.sender;
  const gmail = ports.transport(mailbox);
  let wasted = false;
  const minting = ports.token(draft.sender);
  minting.catch(() => {}); // read only if the claim succeeds
  const open = async (): Promise<OpenedUpload> => {
    const [message] = await Promise.all([draft.compose(stamp, ports), minting]);
    if (wasted) throw new MailFailure('in_flight', 'the claim was answered otherwise');
    const sessionUri = await createWithToken(draft.sender, ports)((token) => gmail.openSession(message, token, NEVER_UNIQUE));
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

const NEVER_UNIQUE: IsUniqueMessageId = async () => false; // only SMTP calls it

/**
 * Whether the head start belongs to this entry: the entry was created under its stamp, and no invocation has worked on the entry
 * since.
 */
export const isFor = ({ stamp }: HeadStart, { id, acceptedAt, attempts, state }: Entry): boolean =>
  id === stamp.id && acceptedAt === stamp.acceptedAt && attempts === 1 && state === 'claimed';
