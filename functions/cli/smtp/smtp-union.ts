import { createHash } from 'node:crypto';
import { headOf, type SmtpEnvelope } from './smtp-idempotency.ts';
import type { SmtpReply } from './smtp-reply.ts';

/** How long an incomplete message waits for its other recipients before the client must try again. */
const HOLD_MS = 10_000;
/** How long after its first part a message can still become complete. Postfix retries after five minutes. */
export const WHOLE_WITHIN_MS = 30 * 60_000;
/** How long a part that is repeated gets the result of the complete message. Postfix and Exim retry for five days. */
const REMEMBERED_MS = 5 * 24 * 60 * 60_000;
const MESSAGES_MAX = 1_000;

type Send = (envelope: SmtpEnvelope) => Promise<SmtpReply>;

/** Joins the parts into which a mail server split the recipients of a message. */
export interface Unions {
  /** Sends a part: alone if the function accepts it, else when all the parts that the headers need have arrived. */
  send(message: Buffer, envelope: SmtpEnvelope, owner: string, send: Send): Promise<SmtpReply>;
  /** Parts no longer wait: they are answered as incomplete. */
  close(): void;
}

interface Parts {
  readonly to: Set<string>;
  readonly since: number;
  /**
   * The recipients of the complete message, once the function accepted it as complete: they do not change after it may have been
   * sent.
   */
  whole: ReadonlySet<string> | null;
  /** The last reply to the complete message. */
  reply: SmtpReply | null;
  /** The running attempts, one after the other. */
  turn: Promise<unknown>;
  /** Called when a part was added or the message was sent. */
  readonly waiting: Set<() => void>;
}

/**
 * Gmail's API sends to everybody in To and Cc, so the function refuses an envelope that leaves one of them out. A mail server
 * that splits a message at its recipient limit sends each part with the same bytes. The parts' recipients are joined, and the
 * message is sent once, only to addresses that an envelope named. See docs/decisions/068.
 */
export function createUnions(now: () => number, timer: (ms: number, signal: AbortSignal) => Promise<void>): Unions {
  const messages = new Map<string, Parts>();
  let closed = false;

  const partsOf = (id: string): Parts => {
    for (const [old, { since, reply }] of messages)
      if (messages.has(id)) break;
      else if (since + (reply?.code === 250 ? REMEMBERED_MS : WHOLE_WITHIN_MS * 2) < now() || messages.size >= MESSAGES_MAX)
        messages.delete(old);
      else break;
    const parts = messages.get(id) ?? {
      to: new Set(),
      since: now(),
      whole: null,
      reply: null,
      turn: Promise.resolve(),
      waiting: new Set(),
    };
    messages.set(id, parts);
    return parts;
  };
  /**
   * The known answer for a part: the reply that accepted the complete message, or that the message was sent without the part's
   * recipients.
   */
  const answered = ({ whole, reply }: Parts, { to }: SmtpEnvelope): SmtpReply | null => {
    if (whole && !to.every((one) => whole.has(one))) return TOO_LATE;
    return reply?.code === 250 ? reply : null;
  };

  /** Tries the union of all parts so far; null where it still lacks a recipient. */
  const tryWhole = async (parts: Parts, { from }: SmtpEnvelope, send: Send): Promise<SmtpReply | null> => {
    const to = parts.whole ?? new Set(parts.to);
    const reply = await send({ from, to: [...to].sort() });
    if (reply.failure === INCOMPLETE) return null;
    parts.whole = to;
    parts.reply = reply;
    return reply;
  };

  /** One attempt at a time for each message: the other parts get its result. */
  const inTurn = async (parts: Parts, envelope: SmtpEnvelope, send: Send): Promise<SmtpReply | null> => {
    const turn = parts.turn.then(async () => answered(parts, envelope) ?? tryWhole(parts, envelope, send));
    parts.turn = turn.catch(() => null);
    const reply = await turn;
    for (const wake of parts.waiting) wake();
    return reply;
  };

  return {
    async send(message, envelope, owner, send) {
      const id = sha256(JSON.stringify([owner, envelope.from, sha256(message)]));
      const known = messages.get(id);
      const before = known && answered(known, envelope);
      if (before) return before;
      if (!known) {
        const alone = await send(envelope);
        if (alone.failure !== INCOMPLETE || !RECEIVED.test(headOf(message))) return alone;
      }
      const parts = partsOf(id);
      for (const one of envelope.to) parts.to.add(one);
      const end = now() + HOLD_MS;
      let attempt = parts.whole !== null || parts.to.size > envelope.to.length;
      for (;;) {
        const reply = attempt ? await inTurn(parts, envelope, send) : (answered(parts, envelope) ?? parts.reply);
        if (reply) return reply;
        attempt = false;
        if (closed || now() >= end || !(await anotherPart(parts, end - now()))) return incomplete(parts);
      }
    },
    close() {
      closed = true;
      for (const { waiting } of messages.values()) for (const wake of waiting) wake();
    },
  };

  /** Waits for the next part; false where none came in time. */
  async function anotherPart(parts: Parts, ms: number): Promise<boolean> {
    const over = new AbortController();
    const came = new Promise<true>((done) => {
      const wake = (): void => done(true);
      parts.waiting.add(wake);
      over.signal.addEventListener('abort', () => parts.waiting.delete(wake));
    });
    const late = timer(ms, over.signal).then(
      () => false,
      () => false,
    );
    return Promise.race([came, late]).finally(() => over.abort());
  }

  function incomplete({ since }: Parts): SmtpReply {
    if (since + WHOLE_WITHIN_MS > now())
      return { code: 451, text: '4.5.3 To or Cc names a recipient whom no envelope has named yet; try again', failure: INCOMPLETE };
    return {
      code: 550,
      text: '5.5.3 To or Cc names a recipient whom no envelope has named, and Gmail would send to it too: have your mail server not split the message (docs/sidecar.md), or use a mailbox with via: smtp',
      failure: INCOMPLETE,
    };
  }
}

const INCOMPLETE = 'envelope_incomplete';
const TOO_LATE: SmtpReply = {
  code: 550,
  text: '5.5.3 The message has gone to its other recipients, and would go to them again: have your mail server not split it (docs/sidecar.md)',
  failure: INCOMPLETE,
};
/**
 * Only a mail server writes Received. An app that sends one copy to each recipient is refused at once: it sends its next part only
 * after the answer.
 */
const RECEIVED = /^received:/im;

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
