import type { gmail_v1 } from 'googleapis/build/src/apis/gmail/v1.js';
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

const searchCall = (baseUrl: string, messageId: string, token: AccessToken): Call => ({
  method: 'GET',
  url: `${baseUrl}/gmail/v1/users/me/messages?maxResults=1&includeSpamTrash=true&q=${encodeURIComponent(`rfc822msgid:${messageId}`)}`,
  headers: { authorization: `Bearer ${token.secret.reveal()}` },
  timeoutMs: 10_000,
});

/** Reads a `ListMessagesResponse`: Gmail leaves `messages` out where nothing matches. Throws MailFailure. */
export function readFound(reply: HttpReply, now: number): string | null {
  if (reply.status !== 200) throw readGmailFailure(reply, 'open', now);
  const body = json<gmail_v1.Schema$ListMessagesResponse>(reply);
  const id = body?.messages?.[0]?.id;
  if (typeof id === 'string') return id;
  if (body?.resultSizeEstimate === 0 && (body.messages ?? []).length === 0) return null;
  throw new MailFailure('unexpected', "Gmail's search answered neither an email nor none"); // a proxy's page is no proof of absence
}
