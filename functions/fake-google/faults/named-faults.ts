import { type Fault, readFault } from './faults.ts';

/** A fault in words: what happens, and what mailgrant does then. */
export interface NamedFault {
  /** The name in `POST /control/faults`, `laptop.fault()` and the form. */
  readonly name: string;
  readonly title: string;
  readonly happens: string;
  readonly outcome: string;
  /** Where it is on the way: over Gmail's API, over its SMTP, or what comes back after the email was sent. */
  readonly via: 'api' | 'smtp' | 'back';
  /** The faults at the fake's endpoints; the first is the one that an email reaches first. */
  readonly faults: readonly Omit<Fault, 'name' | 'standing' | 'times'>[];
}

/** Faults of Gmail's API, then those of its SMTP. */
export const NAMED_FAULTS: readonly NamedFault[] = [
  {
    name: 'lose-reply',
    title: 'Lose the reply',
    happens: 'Gmail takes the email, and the line drops before its answer arrives.',
    outcome: 'The upload session is asked, and the email is sent once.',
    via: 'api',
    faults: [{ on: 'transfer', reset: 'after' }],
  },
  {
    name: 'half-way',
    title: 'Drop the line half-way',
    happens: 'Gmail gets the first 200 bytes, then the line drops.',
    outcome: 'The session goes on from there, and the email is sent once. Always: unknown, until Gmail can be asked.',
    via: 'api',
    faults: [{ on: 'transfer', reset: 'before', keepBytes: 200 }],
  },
  {
    name: 'never-known',
    title: 'Lose the reply and the session',
    happens: 'Bytes leave, no answer comes, and Gmail no longer knows the session.',
    outcome: 'unknown: a person has to look, and nothing is sent on a guess.',
    via: 'api',
    faults: [
      { on: 'transfer', reset: 'before' },
      { on: 'ask', answer: 'session_gone' },
    ],
  },
  {
    name: 'dead-grant',
    title: 'Dead grant',
    happens: 'The token endpoint says invalid_grant: the consent was withdrawn or has run out.',
    outcome: 'failed, grant_revoked, with the command that fixes it.',
    via: 'api',
    faults: [{ on: 'token', answer: 'invalid_grant' }],
  },
  {
    name: 'daily-limit',
    title: 'Daily limit',
    happens: 'Gmail says that the mailbox has sent enough for today.',
    outcome: 'parked: provably not sent. It waits for the next window.',
    via: 'api',
    faults: [{ on: 'open', answer: 'daily_limit' }],
  },
  {
    name: 'too-fast',
    title: 'Too fast',
    happens: 'Gmail says that this minute’s quota is used up.',
    outcome: 'Provably not sent. The worker tries again in some seconds.',
    via: 'api',
    faults: [{ on: 'open', answer: 'user_rate' }],
  },
  {
    name: 'gmail-down',
    title: 'Gmail is down (503)',
    happens: 'Gmail answers 503 before any byte of the email leaves.',
    outcome: 'Provably not sent. The worker tries again in some seconds.',
    via: 'api',
    faults: [{ on: 'open', answer: 'unavailable' }],
  },
  {
    name: 'slow',
    title: 'Slow',
    happens: 'Gmail takes the email at once and answers three seconds later.',
    outcome: 'sent, three seconds later.',
    via: 'api',
    faults: [{ on: 'transfer', delayMs: 3_000 }],
  },
  {
    name: 'wrong-scope',
    title: 'Wrong scope',
    happens: 'The grant does not cover sending.',
    outcome: 'failed, scope_missing, with the scope to consent to.',
    via: 'api',
    faults: [{ on: 'open', answer: 'missing_scope' }],
  },
  {
    name: 'ledger-down',
    title: 'Ledger is down (503)',
    happens: 'Firestore answers 503 when the email is claimed.',
    outcome:
      'Once: it is asked again, and the email is sent. Always: not accepted at all, since what could not be written down is not sent.',
    via: 'api',
    faults: [{ on: 'ledger', answer: 'cloud_unavailable' }],
  },
  {
    name: 'smtp-lose-reply',
    title: 'Lose the reply to DATA',
    happens: 'Gmail takes the email, and the line drops before its 250 arrives.',
    outcome: 'The mailbox is searched for the Message-ID, and the email is sent once.',
    via: 'smtp',
    faults: [{ on: 'smtp-data', reset: 'after' }],
  },
  {
    name: 'smtp-password',
    title: '535-5.7.8',
    happens: 'Gmail refuses the sign-in: Username and Password not accepted.',
    outcome: 'Once: another token is minted, and the email is sent. Always: failed, with cause and fix.',
    via: 'smtp',
    faults: [{ on: 'smtp-auth', answer: 'bad_credentials' }],
  },
  {
    name: 'smtp-daily-limit',
    title: 'Daily limit (550 5.4.5)',
    happens: 'Gmail says that the mailbox has sent enough for today.',
    outcome: 'parked: provably not sent. It waits for the next window.',
    via: 'smtp',
    faults: [{ on: 'smtp-data', answer: 'daily_sending_limit' }],
  },
  {
    name: 'smtp-later',
    title: 'Try again later (421)',
    happens: 'Gmail closes the connection before it takes the sender.',
    outcome: 'Provably not sent. The worker tries again in some seconds.',
    via: 'smtp',
    faults: [{ on: 'smtp-mail', answer: 'try_later' }],
  },
  {
    name: 'smtp-recipient',
    title: 'No such user (550 5.1.1)',
    happens: 'Gmail refuses a recipient.',
    outcome: 'failed if it was the only one.',
    via: 'smtp',
    faults: [{ on: 'smtp-rcpt', answer: 'no_such_user' }],
  },
  {
    name: 'bounce',
    title: 'Bounce: no such mailbox',
    happens: 'Gmail takes the email, and reports afterwards that its first recipient does not exist.',
    outcome: 'sent, last_event bounced, and the event email.bounced, for mailboxes with bounces: true.',
    via: 'back',
    faults: [{ on: 'bounce' }],
  },
  {
    name: 'bounce-full',
    title: 'Bounce: mailbox full',
    happens: 'The recipient’s server takes the email, and its Exchange reports later that there is no room.',
    outcome: 'The same; by the body of the report it is Transient, by its headers alone Undetermined.',
    via: 'back',
    faults: [{ on: 'bounce', bouncing: { by: 'exchange', kind: 'full' } }],
  },
  {
    name: 'bounce-delay',
    title: 'A delay is reported',
    happens: 'Gmail reports that it keeps trying to reach the recipient’s server.',
    outcome: 'Nothing is told: the email may still arrive.',
    via: 'back',
    faults: [{ on: 'bounce', bouncing: { kind: 'delay' } }],
  },
  {
    name: 'bounce-forged',
    title: 'A forged report',
    happens: 'Somebody else writes a report that looks like Gmail’s.',
    outcome: 'Ignored, and counted in the log.',
    via: 'back',
    faults: [{ on: 'bounce', bouncing: { forged: true } }],
  },
];

/**
 * Reads a body of `POST /control/faults`: a fault, or the name of one of these with `times` or `standing`. Returns the faults to
 * script, or what is wrong.
 */
export function readFaultOrder(value: unknown): readonly Fault[] | string {
  const { on, name, ...more } = (value ?? {}) as Partial<Fault>;
  if (on !== undefined || name === undefined) {
    const fault = readFault(value);
    return typeof fault === 'string' ? fault : [fault];
  }
  const named = NAMED_FAULTS.find((one) => one.name === name);
  if (!named) return `name: expected one of ${NAMED_FAULTS.map((one) => one.name).join(', ')}`;
  const unknown = Object.keys(more).filter((one) => one !== 'times' && one !== 'standing');
  if (unknown.length > 0) return `${unknown.join(', ')}: a fault that is named takes times and standing only`;
  const read = named.faults.map((fault) => readFault({ ...fault, ...more, name }));
  return read.find((one) => typeof one === 'string') ?? (read as Fault[]);
}
