import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from '../../google/connect.ts';
import { isTaken } from '../../mail/delivery/outcome.ts';
import type { Ports, Progress, Transport } from '../../mail/delivery/ports.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { asFailure, consequence, MailFailure } from '../../mail/model/failure.ts';

import { send } from '../../mail/queue/process-message.ts';
import { type Check, type Diagnosis, well, wrong } from './check.ts';
import type { Patient } from './check-context.ts';

const OPERATOR = { id: 'doctor', from: null, to: null };

/**
 * Sends a mail from the mailbox to itself, through the whole journey. With `loseReply` the connection is dropped when the
 * last byte has left, and the same session is asked: the proof of "exactly once" on whatever Google is behind it.
 */
export function sendCheck({ operator }: Patient, mailbox: Mailbox, loseReply: boolean): Check {
  const name = `${mailbox.address} send`;
  const run = async (): Promise<Diagnosis> => {
    const ports = connect(operator.settings, () => {}, operator.identity).begin();
    const asked: string[] = [];
    const used: Ports = loseReply ? { ...ports, transport: (box) => losing(ports.transport(box), asked) } : ports;
    const body = {
      from: mailbox.address,
      to: mailbox.address,
      subject: 'mailgrant doctor',
      text: 'This mail was sent by `mailgrant doctor --send` to prove that the mailbox can send.',
    };
    const outcome = await send({ body, caller: OPERATOR, key: null, retryFailed: false }, operator.settings.config, used)
      .catch(asFailure)
      .finally(ports.close);
    if (outcome instanceof Error) return wrong(name, outcome.code, outcome.message, consequence(outcome.code).fix);
    const story = loseReply ? `; the reply was dropped, and the session ${asked.join(', then ')}` : '';
    if (outcome.state === 'sent') return well(name, `sent, Gmail id ${outcome.gmailId}${story}`);
    if (isTaken(outcome)) return wrong(name, 'unexpected', `the mail is ${outcome.state}`, consequence('unexpected').fix);
    return wrong(name, outcome.failure.code, `${outcome.state}: ${outcome.failure.message}${story}`, consequence(outcome.failure.code).fix);
  };
  return { name, needs: [mailbox.address], run };
}

/** A way to Gmail whose first transfer loses its reply, and which notes what the session says when it is asked. */
function losing(gmail: Transport, asked: string[]): Transport {
  let lost = false;
  return {
    open: gmail.open,
    transfer: async (handle, letter, from, token) => {
      if (lost) return gmail.transfer(handle, letter, from, token);
      lost = true;
      // A session can be left in the middle of an answer; over SMTP the reply is read and thrown away, which the sender sees as lost.
      if (handle.startsWith('http')) await hangUp(handle, letter.bytes, token.secret.reveal());
      else await gmail.transfer(handle, letter, from, token);
      throw new MailFailure('delivery_unknown', 'the reply was dropped on purpose');
    },
    ask: async (...call) => {
      const progress = await gmail.ask(...call);
      asked.push(describe(progress));
      return progress;
    },
  };
}

function describe(progress: Progress): string {
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
