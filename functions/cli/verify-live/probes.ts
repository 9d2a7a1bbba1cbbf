import { randomUUID } from 'node:crypto';
import type { TriedId } from '../../google/assumptions.ts';
import { canRead, type LiveGmail, type SessionReply } from './live-session.ts';
import type { SessionAnswer } from './send-to-itself.ts';

export type ProbeVerdict = 'held' | 'did not hold' | 'could not be told';

/** The result of a probe; `detail` holds statuses and reasons, never content, an address or an id. */
export interface ProbeResult {
  readonly verdict: ProbeVerdict;
  readonly detail: string;
}

/** What a probe can use beside the mailbox. */
export interface ProbeContext {
  readonly gmail: LiveGmail;
  /**
   * Sends one email through all of mailgrant and drops the reply: returns what its session answered, and whether the email was
   * sent once.
   */
  loseReply(): Promise<{ readonly asked: readonly SessionAnswer[]; readonly sent: boolean; readonly code: string | null }>;
  /** Finished sessions of an earlier run. */
  readonly earlier: readonly KeptSession[];
}

export interface KeptSession {
  readonly session: string;
  readonly bytes: number;
  readonly at: number;
}

export interface AssumptionProbe {
  /** The most emails that it sends. */
  readonly emails: number;
  run(context: ProbeContext): Promise<ProbeResult>;
}

const held = (detail: string): ProbeResult => ({ verdict: 'held', detail });
const broken = (detail: string): ProbeResult => ({ verdict: 'did not hold', detail });
const untold = (detail: string): ProbeResult => ({ verdict: 'could not be told', detail });
const tell = ({ status, reasons, received }: SessionReply): string =>
  [String(status), ...(received === null ? [] : [`with ${received} bytes`]), ...reasons].join(' ');

const TAKEN = new Set([200, 201]);
const taken = ({ status }: SessionReply): boolean => TAKEN.has(status);
const CHUNK = 256 * 1024; // a chunk that is not the last is a multiple of it
const DAY_MS = 24 * 60 * 60_000;
const LIFE_MS = 6.5 * DAY_MS;
const SEARCH_PAUSES_MS = [0, 1_000, 2_000, 4_000];
const QUOTA_REASONS = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED']);
const NO_SEND = untold('Gmail did not take the message to try it with');
const NO_READING = untold('the grant cannot read messages; try with a mailbox of via: smtp');

/** Sends one message, and calls `judge` once Gmail has accepted it. */
async function withSent(
  gmail: LiveGmail,
  message: Buffer,
  judge: (sent: { session: string; said: SessionReply }) => ProbeResult | Promise<ProbeResult>,
): Promise<ProbeResult> {
  const sent = await gmail.send(message);
  return sent && taken(sent.said) ? judge(sent) : NO_SEND;
}

/** Whether a header of a sent message is unchanged. */
async function headerKept(gmail: LiveGmail, name: string, value: string): Promise<ProbeResult> {
  if (!canRead(gmail)) return NO_READING;
  const message = gmail.message(name === 'to' ? { to: `To: ${value}` } : { head: [`${name}: ${value}`] });
  return withSent(gmail, message, async ({ said }) => {
    const headers = await gmail.headers(said.id ?? '');
    if (!headers) return untold('the sent message could not be read');
    const found = headers.get(name);
    if (found === undefined) return broken('the header is gone');
    return found.replace(/\s+/g, ' ').trim() === value ? held('the header is the same') : broken('the header is another one');
  });
}

/** One probe for each assumption that a mailbox can show. */
export const PROBES: Readonly<Record<TriedId, AssumptionProbe>> = {
  'lost-reply-is-told': {
    emails: 1,
    async run({ loseReply }) {
      const { asked, sent, code } = await loseReply();
      const [first] = asked;
      if (first === undefined) return untold(`the email did not get so far: ${code ?? 'no session was asked'}`);
      if (first.state === 'accepted' && sent) return held('the session said that it took the email');
      return first.state === 'partial' ? untold('the reply was dropped before all bytes were there') : broken('the session was gone');
    },
  },
  'refusal-sends-nothing': {
    emails: 1,
    async run({ gmail }) {
      const message = gmail.message({ to: 'To: not-an-address' });
      const sent = await gmail.send(message);
      if (!sent) return NO_SEND;
      if (sent.said.status < 400 || sent.said.status >= 500) return untold(`it was not refused: ${tell(sent.said)}`);
      const asked = await gmail.ask(sent.session, message.length);
      return taken(asked)
        ? broken(`refused by ${tell(sent.said)}, and yet taken`)
        : held(`refused by ${tell(sent.said)}, then ${tell(asked)}`);
    },
  },
  'range-is-kept': {
    emails: 1,
    async run({ gmail }) {
      const message = gmail.message({ bytes: CHUNK + 40_000 });
      const session = await gmail.open(message.length);
      if (session === null) return NO_SEND;
      const part = await gmail.upload(session, message, 0, CHUNK);
      const asked = await gmail.ask(session, message.length);
      if (part.received !== CHUNK || asked.received !== CHUNK)
        return broken(`${CHUNK} bytes were sent: ${tell(part)}, then ${tell(asked)}`);
      const rest = await gmail.upload(session, message, CHUNK);
      return taken(rest) ? held('all of a part was kept, and the rest completed it') : broken(`the rest was answered by ${tell(rest)}`);
    },
  },
  'cut-transfer-continues': {
    emails: 1,
    async run({ gmail }) {
      const message = gmail.message({ bytes: 2 * CHUNK });
      const session = await gmail.open(message.length);
      if (session === null) return NO_SEND;
      await gmail.cut(session, message, CHUNK);
      const asked = await gmail.ask(session, message.length);
      if (asked.received === null) return broken(`the session answered ${tell(asked)}`);
      const rest = await gmail.upload(session, message, asked.received);
      return taken(rest) ? held(`continued from ${asked.received} bytes`) : broken(`the rest was answered by ${tell(rest)}`);
    },
  },
  'one-session-one-message': {
    emails: 2,
    async run({ gmail }) {
      const message = gmail.message();
      const session = await gmail.open(message.length);
      if (session === null) return NO_SEND;
      const both = await Promise.all([gmail.upload(session, message), gmail.upload(session, message)]);
      const ids = new Set(both.filter(taken).map(({ id }) => id));
      const told = both.map(tell).join(' and ');
      if (ids.size === 0) return untold(`neither was taken: ${told}`);
      return ids.size === 1 ? held(`one message: ${told}`) : broken(`two messages: ${told}`);
    },
  },
  'session-lives-a-week': {
    emails: 0,
    async run({ gmail, earlier }) {
      if (earlier.length === 0) return untold('no session of an earlier run was given (--sessions FILE)');
      for (const { session, bytes, at } of earlier.toSorted((a, b) => a.at - b.at)) {
        const [asked, age] = [await gmail.ask(session, bytes), gmail.now() - at];
        const days = `after ${(age / DAY_MS).toFixed(1)} days`;
        if (!taken(asked) && age <= LIFE_MS) return broken(`${tell(asked)} ${days}`);
        if (taken(asked)) return age >= LIFE_MS ? held(`it answers ${days}`) : untold(`it answers ${days}; ask again later`);
      }
      return untold('all sessions are older than a week');
    },
  },
  'gone-session-is-404-or-410': {
    emails: 0,
    async run({ gmail }) {
      const session = await gmail.open(1_000);
      if (session === null) return NO_SEND;
      const url = new URL(session);
      url.searchParams.set('upload_id', `${url.searchParams.get('upload_id')?.slice(0, -4)}none`);
      const asked = await gmail.ask(url.href, 1_000);
      return asked.status === 404 || asked.status === 410 ? held(tell(asked)) : broken(tell(asked));
    },
  },
  'send-scope-asks': {
    emails: 1,
    async run({ gmail }) {
      const more = gmail.scopes.filter((scope) => /gmail|mail\.google/.test(scope) && !scope.endsWith('/gmail.send'));
      if (gmail.scopes.length === 0) return untold('Google did not say which scopes the token has');
      if (more.length > 0) return untold('the grant has more than gmail.send');
      const message = gmail.message();
      return withSent(gmail, message, async ({ session }) => {
        const asked = await gmail.ask(session, message.length);
        return taken(asked) ? held(tell(asked)) : broken(tell(asked));
      });
    },
  },
  'second-token-may-ask': {
    emails: 1,
    async run({ gmail }) {
      const message = gmail.message();
      return withSent(gmail, message, async ({ session }) => {
        const asked = await gmail.ask(session, message.length, true);
        return taken(asked) ? held(tell(asked)) : broken(tell(asked));
      });
    },
  },
  'thread-id-in-answer': {
    emails: 1,
    run: ({ gmail }) => withSent(gmail, gmail.message(), ({ said }) => (said.threadId ? held('it is there') : broken('it is not there'))),
  },
  'message-id-is-kept': {
    emails: 1,
    run: ({ gmail }) => headerKept(gmail, 'message-id', `<${randomUUID()}@${gmail.mailbox.address.split('@')[1]}>`),
  },
  'own-header-is-kept': { emails: 1, run: ({ gmail }) => headerKept(gmail, 'x-mailgrant-id', randomUUID()) },
  'encoded-names-are-kept': {
    emails: 1,
    run: ({ gmail }) => headerKept(gmail, 'to', `=?utf-8?B?R3LDvMOfZQ==?= <${gmail.mailbox.address}>`),
  },
  'empty-group-is-accepted': {
    emails: 1,
    async run({ gmail }) {
      const sent = await gmail.send(gmail.message({ to: 'To: undisclosed-recipients:;', head: [`Bcc: ${gmail.mailbox.address}`] }));
      if (!sent) return NO_SEND;
      return taken(sent.said) ? held(tell(sent.said)) : broken(tell(sent.said));
    },
  },
  'equal-messages-are-two': {
    emails: 2,
    async run({ gmail }) {
      const message = gmail.message();
      const both = [await gmail.send(message), await gmail.send(message)].flatMap((one) => (one && taken(one.said) ? [one.said.id] : []));
      if (both.length < 2) return NO_SEND;
      return new Set(both).size === 2 ? held('two message ids') : broken('one message id for both');
    },
  },
  'search-finds-in-seconds': {
    emails: 1,
    async run({ gmail }) {
      if (!canRead(gmail)) return NO_READING;
      const id = `${randomUUID()}@${gmail.mailbox.address.split('@')[1]}`;
      return withSent(gmail, gmail.message({ head: [`Message-ID: <${id}>`] }), async () => {
        let waited = 0;
        for (const ms of SEARCH_PAUSES_MS) {
          await gmail.pause(ms);
          waited += ms;
          const found = await gmail.found(`<${id}>`);
          if (found === null) return untold('Gmail did not answer the search');
          if (found > 0) return held(`found after ${waited / 1_000} s`);
        }
        return broken('not found after 7 s');
      });
    },
  },
  'whole-is-answered-at-once': {
    emails: 1,
    async run({ gmail }) {
      await gmail.send(gmail.message());
      const whole = gmail.heard.flatMap(({ to, said }) => (to === 'whole' ? [said] : []));
      const late = whole.filter(({ status }) => status === 308);
      if (late.length > 0) return broken(`${late.length} of ${whole.length} were answered by 308`);
      return whole.some(taken) ? held(`${whole.filter(taken).length} of ${whole.length}, none by 308`) : untold('no message was taken');
    },
  },
  'minute-quota-is-named': {
    emails: 1,
    async run({ gmail }) {
      await gmail.send(gmail.message());
      const limited = gmail.heard
        .map(({ said }) => said)
        .filter(({ status, reasons }) => status === 429 || (status === 403 && reasons.length === 0));
      if (limited.length === 0) return untold('the run met no limit');
      const strange = limited.find(({ reasons }) => !reasons.some((one) => QUOTA_REASONS.has(one)));
      return strange ? broken(tell(strange)) : held(limited.map(tell)[0] ?? '');
    },
  },
};
