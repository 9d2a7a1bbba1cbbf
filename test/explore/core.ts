/** The whole journey of a mail, as one thing that the exploration can run as it is, or broken in one place. */
export { replay } from '../../functions/cli/ledger/dead-letters.ts';
export { dropMail, resend } from '../../functions/cli/ledger/decide.ts';
export { accept } from '../../functions/mail/accept.ts';
export { cancel, ownMail, reschedule } from '../../functions/mail/change.ts';
export { isOver } from '../../functions/mail/delivery/ledger.ts';
export { failureInfo as consequence, MailFailure, toFailure as asFailure } from '../../functions/mail/model/failure.ts';
export { processMessage as workOff } from '../../functions/mail/queue/process-message.ts';
