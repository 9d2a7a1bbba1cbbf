import type { MimeMessage } from '../message/mime-message.ts';
import type { Sender } from '../message/sender.ts';
import type { Mailbox } from '../model/config.ts';
import { MailFailure, toFailure } from '../model/failure.ts';
import type { AccessToken } from '../model/secret.ts';
import { type Entry, type LedgerRecord, step } from './ledger.ts';
import { type Attempted, outcomeOf } from './outcome.ts';
import type { Alone, Ports, Transport, UploadStatus } from './ports.ts';

// After a lost reply Gmail is asked this often, with pauses in between, before the mail is left as unknown.
const ASK_PAUSES_MS = [0, 300, 1_000, 3_000];

/**
 * Brings a claimed letter to Gmail, exactly once in effect: the handle is in the ledger before the first byte leaves,
 * and after a lost reply Gmail is asked, never sent to again on a guess. The outcome is written to the ledger. `minting` is
 * the mailbox's token, where it was begun before.
 */
export async function attempt(
  held: LedgerRecord,
  sender: Sender,
  make: () => Promise<MimeMessage>,
  ports: Ports,
  minting: Promise<AccessToken> | null = null,
): Promise<Attempted> {
  const { id } = held.entry;
  let hold = held;
  // Once bytes may have left, no other trouble makes the mail "not sent": the handle stays, and the next claim asks by it.
  const trail = { left: held.entry.handle !== null };
  try {
    const alone = (messageId: string): Promise<boolean> => standsAlone(held.entry, sender, messageId, ports);
    const { leaseUntil } = held.entry;
    const attempt: Attempt = {
      gmail: ports.transport(sender.mailbox),
      token: createWithToken(sender, ports),
      alone,
      leaseUntil,
      ports,
      trail,
    };
    let letter: MimeMessage | null = null;
    let progress: UploadStatus = { state: 'partial', received: 0 };
    const { handle: begun, letterBytes } = hold.entry;
    if (begun === null) {
      const [made] = await Promise.all([make(), minting ?? ports.token(sender)]);
      const handle = await attempt.token((secret) => attempt.gmail.openSession(made, secret, alone));
      const change = { handle, letter: ports.digest(made.bytes), letterBytes: made.bytes.length };
      hold = await replaceOrThrow(hold, step(hold.entry, 'sending', change), ports);
      letter = made;
    } else {
      // Gmail may have it: it is asked before anything that the letter is made of has to be fetched again.
      if (letterBytes === undefined) letter = await make();
      progress = await ask(begun, letterBytes ?? letter?.bytes.length ?? 0, attempt);
      if (progress.state === 'partial') letter ??= await make();
      if (progress.state === 'partial' && hold.entry.letter !== ports.digest(letter?.bytes ?? ''))
        throw new MailFailure('session_gone', 'the letter composes to other bytes than the ones that were begun');
    }
    const { state: _, ...taken } = await finish(hold.entry.handle ?? '', progress, letter, attempt);
    if (letter) freeMemory(letter);
    return await recordOutcome(hold, { state: 'sent', id, ...taken }, ports);
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'in_flight') throw failure; // somebody else holds the entry now: nothing of it is ours to write
    const unsure = trail.left && failure.code !== 'session_gone';
    const truth = unsure ? new MailFailure('delivery_unknown', `Gmail did not say what became of it: ${failure.code}`) : failure;
    return recordOutcome(hold, outcomeOf(truth, id, ports.now()), ports);
  }
}

/** Gmail has all of it: a large letter's memory is given back now, since the collector would let the next one come beside it. */
function freeMemory({ bytes }: MimeMessage): void {
  if (bytes.length > LARGE_BYTES && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}

const LARGE_BYTES = 1_000_000;

/** Transfers what is missing, and asks after each reply that was lost, until Gmail gives the mail's id. */
async function finish(
  handle: string,
  begun: UploadStatus,
  letter: MimeMessage | null,
  attempt: Attempt,
): Promise<Extract<UploadStatus, { state: 'accepted' }>> {
  const { gmail, token, leaseUntil, ports } = attempt;
  let progress = begun;
  for (let rounds = 0; rounds < ASK_PAUSES_MS.length; rounds++) {
    if (progress.state === 'accepted') return progress;
    if (progress.state === 'gone' || !letter) throw new MailFailure('session_gone', 'the upload session is gone');
    const { received } = progress;
    progress = await token((secret) => {
      // A process that stood still for so long may have lost the mail to another, which has asked Gmail and gone on.
      if (ports.now() >= leaseUntil) throw new MailFailure('in_flight', 'the lease ran out before the letter left');
      return gmail.upload(handle, letter, received, secret);
    }).catch((error: unknown) => {
      if (toFailure(error).code !== 'delivery_unknown') throw error;
      attempt.trail.left = true;
      return ask(handle, letter.bytes.length, attempt);
    });
  }
  if (progress.state === 'accepted') return progress;
  throw new MailFailure('delivery_unknown', 'the transfer did not come to an end');
}

/** Asks Gmail what became of a held mail that may be with it, as after a lost reply; sends nothing. Throws: delivery_unknown. */
export function inquire({ entry }: LedgerRecord, mailbox: Mailbox, ports: Ports): Promise<UploadStatus> {
  const alone = (messageId: string): Promise<boolean> => standsAlone(entry, { mailbox }, messageId, ports);
  const attempt = { gmail: ports.transport(mailbox), token: createWithToken({ mailbox }, ports), alone, ports };
  return ask(entry.handle ?? '', entry.letterBytes ?? 0, attempt);
}

async function ask(handle: string, bytes: number, { gmail, token, alone, ports }: Asked): Promise<UploadStatus> {
  let last: unknown;
  for (const ms of ASK_PAUSES_MS) {
    try {
      if (ms > 0) await ports.pause(ms);
      return await token((secret) => gmail.querySession(handle, bytes, secret, alone));
    } catch (error) {
      last = error;
      if (!ASK_AGAIN.has(toFailure(error).code)) break;
    }
  }
  // Whatever kept Gmail from answering, the letter may be with it: the question stays open.
  throw new MailFailure('delivery_unknown', `Gmail was asked and did not say: ${toFailure(last).code}`);
}

const ASK_AGAIN = new Set(['delivery_unknown', 'google_unavailable', 'rate_limited']);

/** A letter that Gmail can be asked about: what carries it, and what proves that it may. */
interface Asked {
  readonly gmail: Transport;
  readonly token: WithToken;
  readonly alone: Alone;
  readonly ports: Ports;
}

/** A letter on its way. */
interface Attempt extends Asked {
  /** Until then the mail is ours. */
  readonly leaseUntil: number;
  /** Whether bytes of the letter may be with Gmail. */
  readonly trail: { left: boolean };
}

type WithToken = <T>(use: (token: AccessToken) => Promise<T>) => Promise<T>;

/** Runs a call with the mailbox's token; when Gmail refuses the token, once more with a new one. */
function createWithToken(sender: Pick<Sender, 'mailbox'>, ports: Ports): WithToken {
  return async (use) => {
    const token = await ports.token(sender);
    try {
      return await use(token);
    } catch (error) {
      if (toFailure(error).code !== 'token_refused') throw error;
      return use(await ports.token(sender, token));
    }
  };
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

async function replaceOrThrow(hold: LedgerRecord, entry: Entry, ports: Ports): Promise<LedgerRecord> {
  const kept = await ports.ledger.replace(hold, entry);
  if (!kept) throw new MailFailure('in_flight', 'another invocation took the mail over');
  return kept;
}

/** Writes how it ended. What Gmail did stands, even if the ledger cannot be told: then the next claim asks Gmail again. */
export async function recordOutcome(hold: LedgerRecord, outcome: Attempted, ports: Ports): Promise<Attempted> {
  const over = outcome.state === 'sent' || outcome.state === 'failed'; // nothing is asked any more: the handle would only be a key left lying about
  const ended = {
    ...(over && { handle: null, letter: null }),
    leaseUntil: 0,
    notBefore: 'notBefore' in outcome ? outcome.notBefore : null,
  };
  const entry =
    outcome.state === 'sent'
      ? step(hold.entry, 'sent', {
          ...ended,
          gmailId: outcome.gmailId,
          ...(outcome.rejected && { rejected: outcome.rejected }),
          code: null,
        })
      : step(hold.entry, outcome.state === 'retry' ? 'waiting' : outcome.state, { ...ended, code: outcome.failure.code });
  const written = await retryWrite(() => ports.ledger.replace(hold, entry), ports);
  return written ? outcome : { ...outcome, unrecorded: true };
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
