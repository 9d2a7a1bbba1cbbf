import type { gmail_v1 } from 'googleapis/build/src/apis/gmail/v1.js';
import { ID_HEADER } from '../../mail/message/mime-message.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { type Call, type Exchange, type HttpReply, json } from '../http/exchange.ts';
import { answerOf } from '../http/google-client.ts';
import { readGmailFailure } from './gmail-failure.ts';

/** Searches for an email by its Message-ID; returns Gmail's id, or null. */
export type Search = (messageId: string, token: AccessToken) => Promise<string | null>;

/** Gmail's `messages.list` with `rfc822msgid:`. The scope of SMTP allows it, `gmail.send` does not. Throws MailFailure. */
export function createSearch(baseUrl: string, exchange: Exchange, now: () => number): Search {
  return async (messageId, token) =>
    readFound(await answerOf(exchange(searchCall(baseUrl, messageId, token)), "Gmail's search", 'google_unavailable'), now());
}

const searchCall = (baseUrl: string, messageId: string, token: AccessToken): Call =>
  messagesCall(baseUrl, `?maxResults=1&includeSpamTrash=true&q=${encodeURIComponent(`rfc822msgid:${messageId}`)}`, token);

const messagesCall = (baseUrl: string, rest: string, token: AccessToken): Call => ({
  method: 'GET',
  url: `${baseUrl}/gmail/v1/users/me/messages${rest}`,
  headers: { authorization: `Bearer ${token.secret.reveal()}` },
  timeoutMs: 10_000,
});

// A message that was asked about soon is among the newest ones; each costs 5 of the 250 quota units that a user has in a second.
const NEWEST = 20;
const AT_ONCE = 5;
const CARRIED = ['Message-ID', 'X-Google-Original-Message-ID', ID_HEADER];

/**
 * Looks for a message among the newest sent ones, by what it carries: Gmail may have replaced its Message-ID, and Gmail's search knows
 * no other header. `messages.list` with the label, then `messages.get` for the headers. Throws MailFailure.
 */
export function createSentSearch(baseUrl: string, exchange: Exchange, now: () => number): Search {
  return async (messageId, token) => {
    const call = async (rest: string): Promise<HttpReply> =>
      answerOf(exchange(messagesCall(baseUrl, rest, token)), "Gmail's list", 'google_unavailable');
    const ids = readListed(await call(`?maxResults=${NEWEST}&labelIds=SENT`), now());
    const headers = CARRIED.map((name) => `&metadataHeaders=${name}`).join('');
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const carry = await Promise.all(some.map(async (id) => carries(await call(`/${id}?format=metadata${headers}`), messageId, now())));
      const found = some.find((_, index) => carry[index]);
      if (found !== undefined) return found;
    }
    return null;
  };
}

/** Whether a message, read with its headers, is the one that was sent with that Message-ID. Throws MailFailure. */
export function carries(reply: HttpReply, messageId: string, now: number): boolean {
  if (reply.status === 404) return false; // deleted since it was listed
  if (reply.status !== 200) throw readGmailFailure(reply, 'open', now);
  const headers = json<gmail_v1.Schema$Message>(reply)?.payload?.headers;
  if (!headers) throw new MailFailure('unexpected', 'Gmail answered a message without its headers');
  return headers.some(({ name, value }) =>
    name?.toLowerCase() === ID_HEADER.toLowerCase() ? OUR_ID.test(value ?? '') && messageId.startsWith(`<${value}@`) : value === messageId,
  );
}

const OUR_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a `ListMessagesResponse`: Gmail leaves `messages` out where nothing matches. Throws MailFailure. */
export const readFound = (reply: HttpReply, now: number): string | null => readListed(reply, now)[0] ?? null;

function readListed(reply: HttpReply, now: number): string[] {
  if (reply.status !== 200) throw readGmailFailure(reply, 'open', now);
  const body = json<gmail_v1.Schema$ListMessagesResponse>(reply);
  const ids = (body?.messages ?? []).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  if (ids.length > 0 || (body?.resultSizeEstimate === 0 && (body.messages ?? []).length === 0)) return ids;
  throw new MailFailure('unexpected', "Gmail's search answered neither an email nor none"); // a proxy's page is no proof of absence
}
