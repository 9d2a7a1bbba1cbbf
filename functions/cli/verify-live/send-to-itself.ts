import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from '../../google/connect.ts';
import type { Ports, Transport, UploadStatus } from '../../mail/delivery/ports.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import { send } from '../../mail/queue/process-message.ts';
import type { Operator } from '../common/operator.ts';

const OPERATOR = { id: 'doctor', from: null, to: null };

type Sent = Awaited<ReturnType<typeof send>>;

/**
 * Sends an email from the mailbox to itself, through all of mailgrant. With `loseReply` the connection is dropped when the last
 * byte has left, and the same session is queried: the proof of "effectively exactly once" with the connected Google. `asked` is
 * what the session answered; it is queried when `settled` resolves, because a query may overtake the bytes.
 */
export async function sendToItself(
  { settings, identity }: Operator,
  mailbox: Mailbox,
  loseReply: boolean,
  content: { readonly subject: string; readonly text: string },
  settled: () => Promise<void> = async () => {},
): Promise<{ readonly outcome: Sent | MailFailure; readonly asked: readonly SessionAnswer[] }> {
  const ports = connect(settings, () => {}, identity).startInvocation();
  const asked: SessionAnswer[] = [];
  const used: Ports = loseReply ? { ...ports, transport: (box) => losing(ports.transport(box), asked, settled) } : ports;
  const body = { from: mailbox.address, to: mailbox.address, ...content };
  const outcome = await send({ body, caller: OPERATOR, key: null, retryFailed: false }, settings.config, used)
    .catch(toFailure)
    .finally(ports.close);
  return { outcome, asked };
}

/** A session's answer to a query. */
export type SessionAnswer = UploadStatus;

/** A transport whose first upload loses its reply, and which records the session's answers to queries. */
function losing(gmail: Transport, asked: SessionAnswer[], settled: () => Promise<void>): Transport {
  let lost = false;
  return {
    ...gmail,
    upload: async (sessionUri, message, from, token) => {
      if (lost) return gmail.upload(sessionUri, message, from, token);
      lost = true;
      // Over HTTP the connection can be dropped in the middle of an answer; over SMTP the reply is read and discarded, and the
      // sender sees a lost reply.
      if (sessionUri.startsWith('http')) await hangUp(sessionUri, message.bytes, token.secret.reveal());
      else await gmail.upload(sessionUri, message, from, token);
      await settled();
      throw new MailFailure('delivery_unknown', 'the reply was dropped on purpose');
    },
    querySession: async (...call) => {
      const progress = await gmail.querySession(...call);
      asked.push(progress);
      return progress;
    },
  };
}

/**
 * Sends the bytes, or the first `sent` of them, and closes the connection when the operating system has them, before any answer
 * can be read.
 */
export function hangUp(url: string, bytes: Uint8Array, token: string, sent = bytes.length): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'message/rfc822', 'content-length': bytes.length };
  return new Promise((done) => {
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, { method: 'PUT', headers });
    request.on('error', () => done());
    const leave = (): void => void request.socket?.end(() => request.destroy());
    if (sent < bytes.length) request.write(bytes.subarray(0, sent), leave);
    else request.end(bytes, leave);
    request.on('close', () => done());
  });
}
