import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from '../../google/connect.ts';
import { isTaken } from '../../mail/delivery/outcome.ts';
import type { Ports, Transport, UploadStatus } from '../../mail/delivery/ports.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';

import { send } from '../../mail/queue/process-message.ts';
import { type Check, type CheckFinding, failed, passed } from './check.ts';
import type { CheckContext } from './check-context.ts';

const OPERATOR = { id: 'doctor', from: null, to: null };

/**
 * Sends a mail from the mailbox to itself, through the whole journey. With `loseReply` the connection is dropped when the
 * last byte has left, and the same session is asked: the proof of "exactly once" on whatever Google is behind it.
 */
export function sendCheck({ operator }: CheckContext, mailbox: Mailbox, loseReply: boolean): Check {
  const name = `${mailbox.address} send`;
  const run = async (): Promise<CheckFinding> => {
    const ports = connect(operator.settings, () => {}, operator.identity).startInvocation();
    const asked: string[] = [];
    const used: Ports = loseReply ? { ...ports, transport: (box) => losing(ports.transport(box), asked) } : ports;
    const body = {
      from: mailbox.address,
      to: mailbox.address,
      subject: 'mailgrant doctor',
      text: 'This mail was sent by `mailgrant doctor --send` to prove that the mailbox can send.',
    };
    const outcome = await send({ body, caller: OPERATOR, key: null, retryFailed: false }, operator.settings.config, used)
      .catch(toFailure)
      .finally(ports.close);
    if (outcome instanceof Error) return failed(name, outcome.code, outcome.message, failureInfo(outcome.code).fix);
    const story = loseReply ? `; the reply was dropped, and the session ${asked.join(', then ')}` : '';
    if (outcome.state === 'sent') return passed(name, `sent, Gmail id ${outcome.gmailId}${story}`);
    if (isTaken(outcome)) return failed(name, 'unexpected', `the mail is ${outcome.state}`, failureInfo('unexpected').fix);
    return failed(
      name,
      outcome.failure.code,
      `${outcome.state}: ${outcome.failure.message}${story}`,
      failureInfo(outcome.failure.code).fix,
    );
  };
  return { name, needs: [mailbox.address], run };
}

/** A way to Gmail whose first transfer loses its reply, and which notes what the session says when it is asked. */
function losing(gmail: Transport, asked: string[]): Transport {
  let lost = false;
  return {
    ...gmail,
    upload: async (handle, letter, from, token) => {
      if (lost) return gmail.upload(handle, letter, from, token);
      lost = true;
      // A session can be left in the middle of an answer; over SMTP the reply is read and thrown away, which the sender sees as lost.
      if (handle.startsWith('http')) await hangUp(handle, letter.bytes, token.secret.reveal());
      else await gmail.upload(handle, letter, from, token);
      throw new MailFailure('delivery_unknown', 'the reply was dropped on purpose');
    },
    querySession: async (...call) => {
      const progress = await gmail.querySession(...call);
      asked.push(describe(progress));
      return progress;
    },
  };
}

function describe(progress: UploadStatus): string {
  if (progress.state === 'accepted') return 'said that it took the mail';
  return progress.state === 'gone' ? 'was gone' : `held ${progress.received} bytes and went on from there`;
}

/** Sends the bytes and hangs up when they are with the system, before any answer can be read. */
function hangUp(url: string, bytes: Uint8Array, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'message/rfc822', 'content-length': bytes.length };
  return new Promise((done) => {
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(url, { method: 'PUT', headers });
    request.on('error', () => done());
    request.end(bytes, () => request.socket?.end(() => request.destroy()));
    request.on('close', () => done());
  });
}
