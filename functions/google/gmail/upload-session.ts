import type { gmail_v1 } from 'googleapis/build/src/apis/gmail/v1.js';
import type { Transport, UploadStatus } from '../../mail/delivery/ports.ts';

import type { MimeMessage } from '../../mail/message/mime-message.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { type Call, type Exchange, type HttpReply, json, NoReply } from '../http/exchange.ts';
import { readGmailFailure } from './gmail-failure.ts';

/**
 * Gmail's `messages.send` as a resumable upload session (developers.google.com/workspace/gmail/api/guides/uploads): open the
 * session, upload the bytes, and after a lost reply query the same session. The scope `gmail.send` is enough.
 */
export function createGmail(baseUrl: string, exchange: Exchange, now: () => number): Transport {
  const calling = async (call: Call, lost: (cause: NoReply) => MailFailure): Promise<HttpReply> => {
    if (!isGmails(call.url, baseUrl)) throw new MailFailure('unexpected', "the upload session is not under Gmail's address");
    return exchange(call).catch((error: unknown) => {
      throw error instanceof NoReply ? lost(error) : error;
    });
  };
  return {
    resumable: true,
    refusalIsProof: false, // Google does not document whether a message was made when its last byte was answered by a 4xx
    openSession: async (message, token) => readSession(await calling(openCall(baseUrl, message, token), notSent), baseUrl, now()),
    upload: async (sessionUri, message, from, token) =>
      readProgress(
        await calling(transferCall(sessionUri, message, from, token), ({ bytesSent: left, message }) =>
          left ? lost(message) : notSent({ message }),
        ),
        now(),
      ),
    querySession: async (sessionUri, bytes, token) =>
      readProgress(await calling(askCall(sessionUri, bytes, token), ({ message }) => lost(message)), now()),
  };
}

/** Google's upload guide shows session URIs under www.googleapis.com; the token is sent to no other host. */
const isGmails = (url: string, baseUrl: string): boolean =>
  url.startsWith(`${baseUrl}/`) ||
  (baseUrl === 'https://gmail.googleapis.com' && url.startsWith('https://www.googleapis.com/upload/gmail/'));

const notSent = ({ message }: { message: string }): MailFailure =>
  new MailFailure('google_unavailable', `Gmail did not answer: ${message}`);
const lost = (code: string): MailFailure => new MailFailure('delivery_unknown', `no answer from Gmail: ${code}`);
const bearer = (token: AccessToken): string => `Bearer ${token.secret.reveal()}`;

const openCall = (baseUrl: string, { bytes }: MimeMessage, token: AccessToken): Call => ({
  method: 'POST',
  url: `${baseUrl}/upload/gmail/v1/users/me/messages/send?uploadType=resumable`,
  headers: { authorization: bearer(token), 'x-upload-content-type': 'message/rfc822', 'x-upload-content-length': bytes.length },
  timeoutMs: 15_000,
});

const transferCall = (sessionUri: string, { bytes }: MimeMessage, from: number, token: AccessToken): Call => ({
  method: 'PUT',
  url: sessionUri,
  headers: {
    authorization: bearer(token),
    'content-type': 'message/rfc822',
    ...(from > 0 && {
      'content-range': from < bytes.length ? `bytes ${from}-${bytes.length - 1}/${bytes.length}` : `bytes */${bytes.length}`,
    }),
  },
  body: from > 0 ? bytes.subarray(from) : bytes,
  timeoutMs: 40_000,
  once: true,
});

const askCall = (sessionUri: string, bytes: number, token: AccessToken): Call => ({
  method: 'PUT',
  url: sessionUri,
  headers: { authorization: bearer(token), 'content-range': `bytes */${bytes || '*'}` }, // an old ledger entry may lack the length
  timeoutMs: 10_000,
});

/** Reads the reply to opening a session. The session URI authorises uploads of this one message, like a password. */
export function readSession(reply: HttpReply, baseUrl: string, now: number): string {
  const { location } = reply.headers;
  if (reply.status === 200 && location && isGmails(location, baseUrl)) return location;
  throw readGmailFailure(reply, 'open', now);
}

/**
 * Reads a session's answer to an upload or a query: 200 or 201 with the message, 308 with the `Range` that the session holds
 * (Gmail's guide shows `bytes=0-524287` and `0-42`), 404 or 410 when the session is gone. Throws MailFailure for any other
 * answer.
 */
export function readProgress(reply: HttpReply, now: number): UploadStatus {
  if (reply.status === 200 || reply.status === 201) {
    const { id, threadId } = json<gmail_v1.Schema$Message>(reply) ?? {};
    return { state: 'accepted', gmailId: typeof id === 'string' ? id : '', ...(typeof threadId === 'string' && { threadId }) };
  }
  if (reply.status === 308) {
    const last = /^(?:bytes=)?0-(\d+)$/.exec(String(reply.headers['range'] ?? ''))?.[1];
    return { state: 'partial', received: last === undefined ? 0 : Number(last) + 1 };
  }
  if (reply.status === 404 || reply.status === 410) return { state: 'gone' };
  if (reply.status < 400) throw new MailFailure('delivery_unknown', `Gmail answered ${reply.status}`); // neither accepted nor refused
  throw readGmailFailure(reply, 'transfer', now);
}
