import type { MimeMessage } from '../message/mime-message.ts';
import type { Sender } from '../message/sender.ts';
import type { Mailbox } from '../model/config.ts';
import { failureInfo, MailFailure, toFailure } from '../model/failure.ts';
import type { AccessToken } from '../model/secret.ts';
import type { OpenedUpload } from './head-start.ts';
import type { Entry, LedgerRecord } from './ledger.ts';
import { type Attempted, outcomeOf } from './outcome.ts';
import type { IsUniqueMessageId, Ports, Transport, UploadStatus } from './ports.ts';
import { apply, type Event, type RefusalProof } from './transitions.ts';
import { createWithToken, type WithToken } from './with-token.ts';

// After a lost reply Gmail is queried this many times, with pauses, before the email is recorded as unknown.
const ASK_PAUSES_MS = [0, 300, 1_000, 3_000];
/**
 * Over SMTP: how long Gmail's search may take to find a sent email. If the search does not find the email by then, a person
 * decides.
 */
const INDEX_MAX_MS = 60 * 60_000;

/**
 * Brings a claimed email to Gmail, effectively exactly once. The session URI is in the ledger before the first byte leaves, and
 * once bytes were handed to the session only the session says what happened to them. The outcome is written to the ledger.
 * `opening` is what was begun for this email beside its claim.
 */
export async function attempt(
  held: LedgerRecord,
  sender: Sender,
  make: () => Promise<MimeMessage>,
  ports: Ports,
  opening: Promise<OpenedUpload> | null = null,
): Promise<Attempted> {
  const { id, state, mimeBytes } = held.entry;
  const alone = (messageId: string): Promise<boolean> => isUniqueMessageId(held.entry, sender, messageId, ports);
  const gmail = ports.transport(sender.mailbox);
  const proof = state === 'claimed' ? 'not_sent' : null;
  const attempt: Attempt = { held, proof, gmail, token: createWithToken(sender, ports), alone, ports };
  try {
    let message: MimeMessage | null = null;
    let progress: UploadStatus = { state: 'partial', received: 0 };
    if (state === 'claimed') {
      const earlier = await earlierSession(attempt);
      if (earlier) return await recordOutcome(held, sent(id, earlier), ports);
      const { message: made, sessionUri } = await (opening ?? openUpload(attempt, sender, make));
      await write(attempt, { type: 'open', sessionUri, mimeHash: ports.digest(made.bytes), mimeBytes: made.bytes.length });
      message = made;
    } else {
      // Gmail may have the email: Gmail is queried before the content of the email is fetched again.
      if (mimeBytes === undefined) message = await make();
      progress = await ask(attempt, mimeBytes ?? message?.bytes.length ?? 0);
    }
    const { taken, message: whole } = await finish(attempt, progress, message, make);
    if (whole) freeMemory(whole);
    return await recordOutcome(attempt.held, sent(id, taken), ports);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'in_flight') throw failure; // another invocation holds the entry now, so this one must not write it
    const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person';
    const truth = unsure ? new MailFailure('delivery_unknown', `Gmail did not say what became of it: ${failure.code}`) : failure;
    return recordOutcome(attempt.held, outcomeOf(truth, id, ports.now()), ports, attempt.proof);
  }
}

async function openUpload(
  { gmail, token, alone, ports }: Attempt,
  sender: Sender,
  make: () => Promise<MimeMessage>,
): Promise<OpenedUpload> {
  const [message] = await Promise.all([make(), ports.token(sender)]);
  return { message, sessionUri: await token((secret) => gmail.openSession(message, secret, alone)) };
}

type Accepted = Extract<UploadStatus, { state: 'accepted' }>;
const sent = (id: string, { state: _, ...taken }: Accepted): Attempted => ({ state: 'sent', id, ...taken });

/**
 * Gmail has all bytes. The memory of a large message is freed now, because the garbage collector would let the next message be
 * allocated beside it.
 */
function freeMemory({ bytes }: MimeMessage): void {
  if (bytes.length > LARGE_BYTES && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

const LARGE_BYTES = 1_000_000;

/**
 * Queries the session of an earlier attempt, whose bytes were refused, before another session is opened: Gmail may have made the
 * message after all. It was proven that nothing was sent, so any other answer, or none, changes nothing.
 */
async function earlierSession({ held, gmail, token, alone }: Attempt): Promise<Accepted | null> {
  const { sessionUri, mimeBytes = 0 } = held.entry;
  if (sessionUri === null || gmail.refusalIsProof) return null;
  const progress = await token((secret) => gmail.querySession(sessionUri, mimeBytes, secret, alone)).catch(() => null);
  return progress?.state === 'accepted' ? progress : null;
}

/** Uploads the missing bytes, and queries after each reply that decides nothing, until Gmail returns the id of the message. */
async function finish(
  attempt: Attempt,
  begun: UploadStatus,
  made: MimeMessage | null,
  make: () => Promise<MimeMessage>,
): Promise<{ readonly taken: Accepted; readonly message: MimeMessage | null }> {
  const { ports } = attempt;
  let message = made;
  let progress = begun;
  for (const pause of ASK_PAUSES_MS) {
    if (progress.state !== 'partial') break;
    const bytes = message?.bytes.length ?? attempt.held.entry.mimeBytes ?? 0;
    if (bytes > 0 && progress.received >= bytes) {
      // Gmail has every byte and has not made the message yet: there is nothing to upload, and nothing is decided.
      await ports.pause(pause);
      progress = await ask(attempt, bytes);
    } else {
      message ??= await again(attempt, make);
      progress = await transfer(attempt, message, progress.received);
    }
  }
  if (progress.state === 'accepted') return { taken: progress, message };
  if (progress.state === 'gone') throw new MailFailure('session_gone', 'the upload session is gone');
  throw new MailFailure('delivery_unknown', 'the transfer did not come to an end');
}

/** The email of the open session, composed again: only the same bytes may continue in its session. */
async function again({ held, ports }: Attempt, make: () => Promise<MimeMessage>): Promise<MimeMessage> {
  const message = await make();
  if (held.entry.mimeHash === ports.digest(message.bytes)) return message;
  throw new MailFailure('session_gone', 'the email composes to other bytes than the ones that were begun');
}

/** One upload. If the reply says nothing about the email, a query follows. */
async function transfer(attempt: Attempt, message: MimeMessage, from: number): Promise<UploadStatus> {
  const { gmail } = attempt;
  const first = attempt.proof !== null;
  if (!first && !gmail.resumable) {
    if (attempt.held.entry.repeatedAt !== undefined)
      throw new MailFailure(notFoundFailure(attempt.held, attempt.ports), 'Gmail does not find it, and it was sent a second time already');
    await write(attempt, { type: 'repeat', at: attempt.ports.now() });
  }
  try {
    return await attempt.token((secret) => hand(attempt, message, from, secret));
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'in_flight' || attempt.proof !== null) throw failure;
    const refused = first && from === 0 && failure.code !== 'delivery_unknown';
    if (refused && gmail.refusalIsProof) {
      attempt.proof = 'refused';
      throw failure;
    }
    const progress = await ask(attempt, message.bytes.length);
    if (refused && progress.state === 'partial' && progress.received < message.bytes.length) {
      attempt.proof = 'refused'; // Gmail refused, and its session does not hold all bytes
      throw failure;
    }
    // Gmail refused the upload, but the session holds all bytes or is gone: Gmail may have accepted the refused email.
    return progress;
  }
}

/** The only place where bytes leave. From this call on nothing proves that no byte left, except that no connection came about. */
async function hand(attempt: Attempt, message: MimeMessage, from: number, secret: AccessToken): Promise<UploadStatus> {
  const { held, gmail, ports, proof } = attempt;
  // If the process was suspended for this long, another invocation may have taken the email over, queried Gmail and continued.
  if (ports.now() >= held.entry.leaseUntil)
    throw new MailFailure('in_flight', 'the lease ran out before the message left', null, held.entry.id);
  attempt.proof = null;
  try {
    return await gmail.upload(held.entry.sessionUri ?? '', message, from, secret);
  } catch (error) {
    if (toFailure(error).code === 'google_unavailable') attempt.proof = proof;
    throw error;
  }
}

/**
 * Queries Gmail for the outcome of a claimed email that Gmail may have, as after a lost reply; sends nothing. Throws:
 * delivery_unknown.
 */
export function queryOutcome(held: LedgerRecord, mailbox: Mailbox, ports: Ports): Promise<UploadStatus> {
  const alone = (messageId: string): Promise<boolean> => isUniqueMessageId(held.entry, { mailbox }, messageId, ports);
  const attempt = { held, gmail: ports.transport(mailbox), token: createWithToken({ mailbox }, ports), alone, ports };
  return ask(attempt, held.entry.mimeBytes ?? 0);
}

/** Whether an email that Gmail does not have in full may be uploaded again. */
export const mayRepeat = ({ entry }: LedgerRecord, { resumable }: Pick<Transport, 'resumable'>): boolean =>
  resumable || entry.repeatedAt === undefined;

/**
 * The failure of an email that was sent twice over SMTP and that the search does not find: Gmail's index may be late, but not for
 * ever.
 */
export const notFoundFailure = (
  { entry: { repeatedAt = 0 } }: LedgerRecord,
  { now }: Pick<Ports, 'now'>,
): 'delivery_unknown' | 'session_gone' => (now() - repeatedAt > INDEX_MAX_MS ? 'session_gone' : 'delivery_unknown');

async function ask({ held, gmail, token, alone, ports }: Asking, bytes: number): Promise<UploadStatus> {
  let last: unknown;
  for (const ms of ASK_PAUSES_MS) {
    try {
      if (ms > 0) await ports.pause(ms);
      return await token((secret) => gmail.querySession(held.entry.sessionUri ?? '', bytes, secret, alone));
    } catch (error) {
      last = error;
      if (!ASK_AGAIN.has(toFailure(error).code)) break;
    }
  }
  // Gmail may have the message although its reply was lost: the outcome stays unknown.
  throw new MailFailure('delivery_unknown', `Gmail was asked and did not say: ${toFailure(last).code}`);
}

const ASK_AGAIN = new Set(['delivery_unknown', 'google_unavailable', 'rate_limited']);

interface Asking {
  readonly held: LedgerRecord;
  readonly gmail: Transport;
  readonly token: WithToken;
  readonly alone: IsUniqueMessageId;
  readonly ports: Ports;
}

/** One attempt to bring an email to Gmail. */
interface Attempt extends Asking {
  /** The entry as it was last written. */
  held: LedgerRecord;
  /** Why Gmail cannot have the email; null once bytes were handed to its session. */
  proof: RefusalProof | null;
}

/**
 * Whether no other email of the mailbox has the Message-ID that the caller gave: with two emails of one Message-ID, a search could
 * find the wrong one.
 */
function isUniqueMessageId(
  { id, expireAt }: Entry,
  { mailbox }: Pick<Sender, 'mailbox'>,
  messageId: string,
  { ledger, digest }: Pick<Ports, 'ledger' | 'digest'>,
): Promise<boolean> {
  return ledger.reserve({ hash: digest(`message-id\n${mailbox.address}\n${messageId}`), expireAt }, id);
}

/** Changes the entry before a step that cannot be undone; throws if another invocation holds the entry. */
async function write(attempt: Attempt, event: Event): Promise<void> {
  const { held, ports } = attempt;
  const written = await ports.ledger.replace(held, apply(held.entry, event));
  if (!written) throw new MailFailure('in_flight', 'another invocation took the email over', null, held.entry.id);
  attempt.held = written;
}

/**
 * Writes the outcome. What Gmail did stays true even if the ledger cannot be written: then the next claim queries Gmail, if a
 * session URI is stored.
 */
export async function recordOutcome(
  hold: LedgerRecord,
  outcome: Attempted,
  ports: Ports,
  proof: RefusalProof | null = null,
): Promise<Attempted> {
  const entry = apply(hold.entry, eventOf(outcome, proof));
  const written = await retryWrite(() => ports.ledger.replace(hold, entry), ports);
  return written ? outcome : { ...outcome, unrecorded: true };
}

function eventOf(outcome: Attempted, proof: RefusalProof | null): Event {
  if (outcome.state === 'sent') return { ...outcome, type: 'accept' };
  const { code } = outcome.failure;
  if (outcome.state === 'unknown') return { type: 'lose', code: outcome.askable ? 'delivery_unknown' : 'session_gone' };
  if (outcome.state === 'failed') return { type: 'fail', code, proof };
  return { type: outcome.state === 'retry' ? 'retry' : 'park', code, notBefore: outcome.notBefore, proof };
}

/** Writes with three tries, since the outcome must be recorded. Null if another invocation holds the entry, or if no try worked. */
async function retryWrite(write: () => Promise<LedgerRecord | null>, ports: Ports): Promise<LedgerRecord | null> {
  for (const ms of SETTLE_PAUSES_MS) {
    try {
      if (ms > 0) await ports.pause(ms);
      return await write();
    } catch {
      // Try again.
    }
  }
  return null;
}

const SETTLE_PAUSES_MS = [0, 100, 500];
