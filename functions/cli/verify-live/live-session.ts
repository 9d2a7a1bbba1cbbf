import { randomUUID } from 'node:crypto';
import { connect } from '../../google/connect.ts';
import { readSession } from '../../google/gmail/upload-session.ts';
import { readGoogleError } from '../../google/http/error-body.ts';
import { type Call, createExchange, type Exchange, type HttpReply, json } from '../../google/http/exchange.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { Operator } from '../common/operator.ts';
import { hangUp } from './send-to-itself.ts';

/** Gmail's answer, without text that may quote content. `received` counts the bytes that a 308 names. */
export interface SessionReply {
  readonly status: number;
  readonly reasons: readonly string[];
  readonly id: string | null;
  readonly threadId: string | null;
  readonly received: number | null;
}

/** One upload session of Gmail, byte by byte, with steps that mailgrant never makes on purpose. */
export interface LiveGmail {
  readonly mailbox: Mailbox;
  /** Every answer of Gmail so far, and the request that it answers. */
  readonly heard: { readonly to: 'open' | 'whole' | 'part' | 'question' | 'read'; readonly said: SessionReply }[];
  /** Whether its grant can read messages; the scopes, where Google names them. */
  readonly scopes: readonly string[];
  message(change?: MessageChange): Buffer;
  /** Opens a session for that many bytes; null where Gmail refuses. */
  open(bytes: number): Promise<string | null>;
  /** Uploads the bytes of `message` from `from` up to `to`. */
  upload(session: string, message: Buffer, from?: number, to?: number): Promise<SessionReply>;
  /** Uploads the first bytes and drops the connection. */
  cut(session: string, message: Buffer, bytes: number): Promise<void>;
  /** Queries the session; with `anew`, with another token. */
  ask(session: string, bytes: number, anew?: boolean): Promise<SessionReply>;
  /** Opens a session and uploads the whole message. */
  send(message: Buffer): Promise<{ readonly session: string; readonly said: SessionReply } | null>;
  /** Headers of a sent message, names in lower case; null where they cannot be read. */
  headers(id: string): Promise<ReadonlyMap<string, string> | null>;
  /** How many messages a search finds; null where the scope does not allow a search. */
  found(messageId: string): Promise<number | null>;
  pause(ms: number): Promise<void>;
  now(): number;
}

export interface MessageChange {
  readonly head?: readonly string[];
  readonly to?: string;
  /** The minimum length of the message in bytes. */
  readonly bytes?: number;
}

const READS = /^https:\/\/(mail\.google\.com\/|www\.googleapis\.com\/auth\/gmail\.(modify|readonly))$/;
export const canRead = ({ scopes }: Pick<LiveGmail, 'scopes'>): boolean => scopes.some((scope) => READS.test(scope));

/** Connects to the mailbox's Gmail with the grant that the functions use. Throws MailFailure where no token can be minted. */
export async function openGmail(
  operator: Operator,
  mailbox: Mailbox,
  run: string,
  pause: (ms: number) => Promise<void>,
  now: () => number,
): Promise<LiveGmail> {
  const { gmail: base, tokenInfo } = operator.settings.urls;
  const exchange = createExchange()(AbortSignal.timeout(10 * 60_000));
  const heard: LiveGmail['heard'] = [];
  let kept: AccessToken | null = null;
  const mint = async (): Promise<AccessToken> => {
    const ports = connect(
      { ...operator.settings, config: { ...operator.settings.config, mailboxes: [{ ...mailbox, tokens: 'per-invocation' }] } },
      () => {},
      operator.identity,
    ).startInvocation();
    return ports.token({ mailbox: { ...mailbox, tokens: 'per-invocation' } }).finally(ports.close);
  };
  const token = async (): Promise<AccessToken> => {
    kept ??= await mint();
    return kept;
  };
  const scopes = await scopesOf(await token(), tokenInfo, exchange);
  const call = async (
    to: LiveGmail['heard'][number]['to'],
    one: Omit<Call, 'timeoutMs' | 'headers'> & { readonly headers?: Call['headers'] },
    anew = false,
  ): Promise<{ readonly reply: HttpReply; readonly said: SessionReply }> => {
    const bearer = anew ? await mint() : await token();
    const headers = { authorization: `Bearer ${bearer.secret.reveal()}`, ...one.headers };
    const reply = await exchange({ timeoutMs: 60_000, once: true, ...one, headers });
    const said = saidBy(reply);
    heard.push({ to, said });
    return { reply, said };
  };

  const gmail: LiveGmail = {
    mailbox,
    heard,
    scopes,
    pause,
    now,
    message: (change = {}) => messageOf(mailbox.address, run, change),
    async open(bytes) {
      const { reply } = await call('open', {
        method: 'POST',
        url: `${base}/upload/gmail/v1/users/me/messages/send?uploadType=resumable`,
        headers: { 'x-upload-content-type': 'message/rfc822', 'x-upload-content-length': bytes },
      });
      return reply.status === 200 ? readSession(reply, base, now()) : null;
    },
    async upload(session, message, from = 0, to = message.length) {
      const whole = from === 0 && to === message.length;
      const range = whole ? {} : { 'content-range': `bytes ${from}-${to - 1}/${message.length}` };
      const headers = { 'content-type': 'message/rfc822', ...range };
      const kind = to === message.length ? 'whole' : 'part';
      return (await call(kind, { method: 'PUT', url: session, headers, body: message.subarray(from, to) })).said;
    },
    cut: async (session, message, bytes) => hangUp(session, message, (await token()).secret.reveal(), bytes),
    async ask(session, bytes, anew = false) {
      return (await call('question', { method: 'PUT', url: session, headers: { 'content-range': `bytes */${bytes}` } }, anew)).said;
    },
    async send(message) {
      const session = await gmail.open(message.length);
      return session === null ? null : { session, said: await gmail.upload(session, message) };
    },
    async headers(id) {
      if (!canRead(gmail)) return null;
      const { reply } = await call('read', {
        method: 'GET',
        url: `${base}/gmail/v1/users/me/messages/${encodeURIComponent(id)}?format=metadata`,
      });
      const { payload } = (json(reply) ?? {}) as { payload?: { headers?: { name?: unknown; value?: unknown }[] } };
      if (reply.status !== 200 || !payload?.headers) return null;
      return new Map(payload.headers.map(({ name, value }) => [String(name).toLowerCase(), String(value)]));
    },
    async found(messageId) {
      if (!canRead(gmail)) return null;
      const q = encodeURIComponent(`rfc822msgid:${messageId}`);
      const { reply } = await call('read', { method: 'GET', url: `${base}/gmail/v1/users/me/messages?includeSpamTrash=true&q=${q}` });
      const { messages } = (json(reply) ?? {}) as { messages?: unknown[] };
      return reply.status === 200 ? (messages ?? []).length : null;
    },
  };
  return gmail;
}

function saidBy(reply: HttpReply): SessionReply {
  const body = json(reply);
  const { id, threadId } = (body ?? {}) as { id?: unknown; threadId?: unknown };
  const last = /^(?:bytes=)?0-(\d+)$/.exec(String(reply.headers['range'] ?? ''))?.[1];
  return {
    status: reply.status,
    reasons: readGoogleError(body).reasons,
    id: typeof id === 'string' ? id : null,
    threadId: typeof threadId === 'string' ? threadId : null,
    received: reply.status === 308 ? (last === undefined ? 0 : Number(last) + 1) : null,
  };
}

async function scopesOf(token: AccessToken, url: string, exchange: Exchange): Promise<readonly string[]> {
  const body = new URLSearchParams({ access_token: token.secret.reveal() }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const reply = await exchange({ method: 'POST', url, headers, body, timeoutMs: 10_000 }).catch(() => null);
  const { scope } = ((reply?.status === 200 && json(reply)) || {}) as { scope?: unknown };
  return typeof scope === 'string' ? scope.split(' ') : [];
}

/** A message from the mailbox to itself that says what it is for. */
function messageOf(address: string, run: string, { head = [], to = `To: ${address}`, bytes = 0 }: MessageChange): Buffer {
  const lines = [
    `From: ${address}`,
    to,
    `Subject: mailgrant verify-live ${run}`,
    `X-Mailgrant-Verify: ${run}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    ...head,
    ...(head.some((line) => /^message-id:/i.test(line))
      ? []
      : [`Message-ID: <${randomUUID()}@${address.slice(address.lastIndexOf('@') + 1)}>`]),
    '',
    'This email was sent by `mailgrant verify-live` to try what Gmail does. It can be deleted.',
    '',
  ];
  const text = lines.join('\r\n');
  const filler = `${'.'.repeat(70)}\r\n`;
  return Buffer.from(text + filler.repeat(Math.ceil(Math.max(0, bytes - text.length) / filler.length)));
}
