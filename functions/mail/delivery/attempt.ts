import type { MimeMessage } from '../message/mime-message.ts';
import type { Sender } from '../message/sender.ts';
import type { Mailbox } from '../model/config.ts';
import { failureInfo, MailFailure, toFailure } from '../model/failure.ts';
import type { AccessToken } from '../model/secret.ts';
import type { OpenedUpload } from './head-start.ts';
import type { Entry, LedgerRecord } from './ledger.ts';
import { type Attempted, outcomeOf } from './outcome.ts';
import type { Alone, Ports, Transport, UploadStatus } from './ports.ts';
import { apply, type Event, type RefusalProof } from './transitions.ts';
import { createWithToken, type WithToken } from './with-token.ts';

// After a lost reply Gmail is asked this often, with pauses in between, before the email is left as unknown.
const ASK_PAUSES_MS = [0, 300, 1_000, 3_000];
/** Over SMTP: so long Gmail's search may take to find what was sent; what it does not find by then is for a person. */
const INDEX_MAX_MS = 60 * 60_000;

/**
 * Brings a claimed email to Gmail, effectively exactly once: the session is in the ledger before the first byte leaves, and once
 * bytes were handed to it only the session says what became of them. The outcome is written to the ledger. `opening` is what was
 * begun for this email beside its claim.
 */
export async function attempt(
  held: LedgerRecord,
  sender: Sender,
  make: () => Promise<MimeMessage>,
  ports: Ports,
  opening: Promise<OpenedUpload> | null = null,
): Promise<Attempted> {
  const { id, state, mimeBytes } = held.entry;
  const alone = (messageId: string): Promise<boolean> => standsAlone(held.entry, sender, messageId, ports);
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
      await write(attempt, { type: 'open', sessionUri, messageHash: ports.digest(made.bytes), messageBytes: made.bytes.length });
      message = made;
    } else {
      // Gmail may have it: it is asked before anything that the email is made of has to be fetched again.
      if (mimeBytes === undefined) message = await make();
      progress = await ask(attempt, mimeBytes ?? message?.bytes.length ?? 0);
    }
    const { taken, message: whole } = await finish(attempt, progress, message, make);
    if (whole) freeMemory(whole);
    return await recordOutcome(attempt.held, sent(id, taken), ports);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'in_flight') throw failure; // somebody else holds the entry now: nothing of it is ours to write
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

/** Gmail has all of it: a large message's memory is given back now, since the collector would let the next one come beside it. */
function freeMemory({ bytes }: MimeMessage): void {
  if (bytes.length > LARGE_BYTES && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

const LARGE_BYTES = 1_000_000;

/**
 * The session of an earlier attempt, whose bytes were refused, is asked once more before another one is opened: should Gmail have
 * made the message after all, it says so. It was proven that nothing was sent: any other answer, or none, changes nothing.
 */
async function earlierSession({ held, gmail, token, alone }: Attempt): Promise<Accepted | null> {
  const { sessionUri, mimeBytes = 0 } = held.entry;
  if (sessionUri === null || gmail.refusalIsProof) return null;
  const progress = await token((secret) => gmail.querySession(sessionUri, mimeBytes, secret, alone)).catch(() => null);
  return progress?.state === 'accepted' ? progress : null;
}

/** Transfers what is missing, and asks after each reply that decides nothing, until Gmail gives the message's id. */
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
      // Gmail has every byte, and makes the message when it likes: there is nothing to transfer, and nothing is decided.
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

/** The email that was begun, composed again: only the same bytes may go on in its session. */
async function again({ held, ports }: Attempt, make: () => Promise<MimeMessage>): Promise<MimeMessage> {
  const message = await make();
  if (held.entry.mimeHash === ports.digest(message.bytes)) return message;
  throw new MailFailure('session_gone', 'the email composes to other bytes than the ones that were begun');
}

/** One transfer, and where it was not answered by Gmail's word about the email, a question. */
async function transfer(attempt: Attempt, message: MimeMessage, from: number): Promise<UploadStatus> {
  const { gmail } = attempt;
  const first = attempt.proof !== null;
  if (!first && !gmail.resumable) {
    if (attempt.held.entry.repeatedAt !== undefined)
      throw new MailFailure(notFound(attempt.held, attempt.ports), 'Gmail does not find it, and it was sent a second time already');
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
      attempt.proof = 'refused'; // Gmail said no, and its session has not all of it
      throw failure;
    }
    // A refusal and a session that has all, or is gone: what was refused may have been taken.
    return progress;
  }
}

/** The one place where bytes leave: from the call on nothing proves that they did not, except that no connection came about. */
async function hand(attempt: Attempt, message: MimeMessage, from: number, secret: AccessToken): Promise<UploadStatus> {
  const { held, gmail, ports, proof } = attempt;
  // A process that stood still for so long may have lost the email to another, which has asked Gmail and gone on.
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

/** Asks Gmail what became of a held email that may be with it, as after a lost reply; sends nothing. Throws: delivery_unknown. */
export function inquire(held: LedgerRecord, mailbox: Mailbox, ports: Ports): Promise<UploadStatus> {
  const alone = (messageId: string): Promise<boolean> => standsAlone(held.entry, { mailbox }, messageId, ports);
  const attempt = { held, gmail: ports.transport(mailbox), token: createWithToken({ mailbox }, ports), alone, ports };
  return ask(attempt, held.entry.mimeBytes ?? 0);
}

/** Whether an email that Gmail does not have in full may be transferred again. */
export const mayRepeat = ({ entry }: LedgerRecord, { resumable }: Pick<Transport, 'resumable'>): boolean =>
  resumable || entry.repeatedAt === undefined;

/** What is said of an email that was sent twice over SMTP and is not found: the index may be late, but not for ever. */
export const notFound = ({ entry: { repeatedAt = 0 } }: LedgerRecord, { now }: Pick<Ports, 'now'>): 'delivery_unknown' | 'session_gone' =>
  now() - repeatedAt > INDEX_MAX_MS ? 'session_gone' : 'delivery_unknown';

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
  // Gmail may have the message, whatever prevented its reply: the outcome stays unknown.
  throw new MailFailure('delivery_unknown', `Gmail was asked and did not say: ${toFailure(last).code}`);
}

const ASK_AGAIN = new Set(['delivery_unknown', 'google_unavailable', 'rate_limited']);

interface Asking {
  readonly held: LedgerRecord;
  readonly gmail: Transport;
  readonly token: WithToken;
  readonly alone: Alone;
  readonly ports: Ports;
}

/** An email on its way to Gmail. */
interface Attempt extends Asking {
  /** The entry as it was written last. */
  held: LedgerRecord;
  /** Why nothing of it can be with Gmail; null once bytes were handed to its session. */
  proof: RefusalProof | null;
}

/** Whether a Message-ID that its caller gave is this mail's alone: by one of two with the same, the other would be found. */
function standsAlone(
  { id, expireAt }: Entry,
  { mailbox }: Pick<Sender, 'mailbox'>,
  messageId: string,
  { ledger, digest }: Pick<Ports, 'ledger' | 'digest'>,
): Promise<boolean> {
  return ledger.reserve({ hash: digest(`message-id\n${mailbox.address}\n${messageId}`), expireAt }, id);
}

/** Changes the entry before something that cannot be undone; throws where another invocation has it. */
async function write(attempt: Attempt, event: Event): Promise<void> {
  const { held, ports } = attempt;
  const written = await ports.ledger.replace(held, apply(held.entry, event));
  if (!written) throw new MailFailure('in_flight', 'another invocation took the email over', null, held.entry.id);
  attempt.held = written;
}

/** Writes how it ended. What Gmail did stands, even if the ledger cannot be told: then the next claim asks Gmail again. */
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

/** What happened must be written down: a ledger that hiccups is given three tries. Null where somebody else holds the entry, or none worked. */
async function retryWrite(write: () => Promise<LedgerRecord | null>, ports: Ports): Promise<LedgerRecord | null> {
  for (const ms of SETTLE_PAUSES_MS) {
    try {
      if (ms > 0) await ports.pause(ms);
      return await write();
    } catch {
      // the next try
    }
  }
  return null;
}

const SETTLE_PAUSES_MS = [0, 100, 500];
