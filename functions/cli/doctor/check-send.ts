import { isAccepted } from '../../mail/delivery/outcome.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { failureInfo } from '../../mail/model/failure.ts';
import { type SessionAnswer, sendToItself } from '../verify-live/send-to-itself.ts';
import { type CheckFinding, type DoctorCheck, failed, passed } from './check.ts';
import type { CheckContext } from './check-context.ts';

const CONTENT = {
  subject: 'mailgrant doctor',
  text: 'This email was sent by `mailgrant doctor --send` to prove that the mailbox can send.',
};

/** Sends an email from the mailbox to itself; `loseReply` as in verify-live's `lost-reply-is-told`. */
export function sendCheck({ operator }: CheckContext, mailbox: Mailbox, loseReply: boolean): DoctorCheck {
  const name = `${mailbox.address} send`;
  const run = async (): Promise<CheckFinding> => {
    const { outcome, asked } = await sendToItself(operator, mailbox, loseReply, CONTENT);
    if (outcome instanceof Error) return failed(name, outcome.code, outcome.message, failureInfo(outcome.code).fix);
    const story = loseReply ? `; the reply was dropped, and the session ${asked.map(describe).join(', then ')}` : '';
    if (outcome.state === 'sent') return passed(name, `sent, Gmail id ${outcome.gmailId}${story}`);
    if (isAccepted(outcome)) return failed(name, 'unexpected', `the email is ${outcome.state}`, failureInfo('unexpected').fix);
    return failed(
      name,
      outcome.failure.code,
      `${outcome.state}: ${outcome.failure.message}${story}`,
      failureInfo(outcome.failure.code).fix,
    );
  };
  return { name, needs: [mailbox.address], run };
}

function describe(asked: SessionAnswer): string {
  if (asked.state === 'accepted') return 'said that it took the email';
  return asked.state === 'gone' ? 'was gone' : `held ${asked.received} bytes and went on from there`;
}
