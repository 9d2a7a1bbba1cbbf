import { ERROR_REPLIES, type ErrorReplyName } from '../http/error-replies.ts';
import { type Bouncing, bouncingProblem } from './bouncing.ts';
import { SMTP_REFUSALS, type SmtpRefusalName } from './smtp-replies.ts';

/** The endpoints of its SMTP; there `status` is a reply code and `body` the reply's text. */
const SMTP_DOORS = ['smtp-auth', 'smtp-mail', 'smtp-rcpt', 'smtp-data'] as const;

/** The endpoints of the fake Google that can fail, in the order in which an email passes them. */
export const DOORS = [
  'identity',
  'ledger',
  'secret',
  'sign',
  'token',
  'consent',
  'inspect',
  'revoke',
  'project',
  'certs',
  'profile',
  'open',
  'transfer',
  'ask',
  'send',
  'search',
  'inbox',
  'bounce',
  'publish',
  'task',
  'store',
  ...SMTP_DOORS,
] as const;
export type Door = (typeof DOORS)[number];

/** The call of each endpoint, for docs/testing.md. */
export const MEANINGS: Readonly<Record<Door, string>> = {
  identity: 'the metadata server: a function asks for its own token',
  ledger: 'Firestore: a write, a read or a query',
  secret: 'Secret Manager',
  sign: 'IAM Credentials: `signJwt`',
  token: 'the token endpoint: an access token of a mailbox, or the exchange of a code',
  consent: 'the consent page',
  inspect: 'what a token is for, and the send-as addresses of a mailbox',
  revoke: 'the end of a grant',
  project: 'which APIs are on, which service accounts there are, and which functions are stopped',
  certs: 'the keys by which Google signs identity tokens',
  profile: 'whether Gmail answers at all',
  open: 'an upload session is opened; nothing of the email has left',
  transfer: 'the email is sent to its upload session',
  ask: 'an upload session is asked how much it has',
  send: 'the email is sent in one request',
  search: 'a mailbox is searched for a Message-ID, its newest sent messages are listed, or one is read',
  inbox: 'a mailbox is watched, or its history or a thread is read',
  bounce: 'Gmail has taken an email: a report comes back, as `bouncing` says',
  publish: 'Pub/Sub: publish, pull and acknowledge',
  task: 'Cloud Tasks',
  store: 'Cloud Storage',
  'smtp-auth': 'SMTP: the sign-in; `status` is the reply code here and below, and `body` its text',
  'smtp-mail': 'SMTP: the sender',
  'smtp-rcpt': 'SMTP: a recipient',
  'smtp-data': 'SMTP: the email itself',
};

/**
 * What happens at an endpoint, once unless `times` says more. Without `status`, `answer` and `reset` the call takes effect as
 * usual.
 */
export interface Fault {
  readonly on: Door;
  readonly times?: number;
  /** Stays until it is cleared, whatever `times` says. */
  readonly standing?: boolean;
  /** The name by which it can be cleared. */
  readonly name?: string;
  /** The call has no effect; the answer has this status, with `body` and `headers`. */
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The same, with a refusal as Google prints it. */
  readonly answer?: ErrorReplyName | SmtpRefusalName;
  /** The connection is cut before the call takes effect, or after it: then the reply is lost. */
  readonly reset?: 'before' | 'after';
  /** With `reset: before` at `transfer`: the session keeps this many of the uploaded bytes. */
  readonly keepBytes?: number;
  /**
   * At `transfer`, with `status`, `answer` or `range`: the bytes count all the same, and the message is made this many
   * milliseconds after the answer (0: before it). Until then the session holds what `range` says, by default all of it.
   */
  readonly takenAfterMs?: number;
  /**
   * With `takenAfterMs`: the answer is a 308 whose Range names all the bytes, half of them (the rest is still on its way), or
   * none.
   */
  readonly range?: 'whole' | 'half' | 'none';
  /** At `bounce`: who reports what of which recipient; by default Gmail, of the first one, that there is no such mailbox. */
  readonly bouncing?: Bouncing;
  /** The call takes effect, and an answer 200 gets this status: at `transfer` and `ask`, Gmail's guide names 201. */
  readonly successStatus?: number;
  /** The reply waits this long, after the call took effect. */
  readonly delayMs?: number;
}

export interface Faults {
  script(...faults: Fault[]): void;
  take(door: Door): Fault | undefined;
  /** Forgets the faults of that name, or all. */
  clear(name?: string): void;
  pending(): readonly Fault[];
}

/** A queue of faults for each door. */
export function createFaults(changed: () => void = () => {}): Faults {
  let queue: Fault[] = [];
  const script = (faults: readonly Fault[]): void => {
    queue.push(...faults.flatMap((fault) => Array.from({ length: fault.standing ? 1 : (fault.times ?? 1) }, () => fault)));
    changed();
  };
  return {
    script: (...faults) => script(faults),
    take: (door) => {
      const index = queue.findIndex(({ on }) => on === door);
      if (index < 0 || queue[index]?.standing) return queue[index];
      return queue.splice(index, 1)[0];
    },
    clear: (name) => {
      queue = queue.filter((fault) => name !== undefined && fault.name !== name);
      changed();
    },
    pending: () => queue,
  };
}

/** Reads a fault from outside; returns the fault, or what is wrong with it. */
export function readFault(value: unknown): Fault | string {
  const fault = value as Partial<Fault> | null;
  if (typeof fault !== 'object' || fault === null) return 'expected a JSON object';
  if (!DOORS.includes(fault.on as Door)) return `on: expected one of ${DOORS.join(', ')}`;
  const refusals = fault.on?.startsWith('smtp-') ? SMTP_REFUSALS : ERROR_REPLIES;
  if (fault.answer !== undefined && !Object.hasOwn(refusals, fault.answer))
    return `answer: expected one of ${Object.keys(refusals).join(', ')}`;
  if (fault.reset !== undefined && fault.reset !== 'before' && fault.reset !== 'after') return 'reset: expected "before" or "after"';
  if (fault.status !== undefined && !(fault.status >= 200 && fault.status <= 599)) return 'status: expected 200 to 599';
  if (fault.standing !== undefined && typeof fault.standing !== 'boolean') return 'standing: expected true or false';
  if (fault.name !== undefined && typeof fault.name !== 'string') return 'name: expected a text';
  if (fault.range !== undefined && !['whole', 'half', 'none'].includes(fault.range)) return 'range: expected "whole", "half" or "none"';
  if (fault.successStatus !== undefined && !(fault.successStatus >= 200 && fault.successStatus <= 299))
    return 'successStatus: expected 200 to 299';
  for (const name of ['times', 'delayMs', 'keepBytes', 'takenAfterMs'] as const)
    if (fault[name] !== undefined && !(Number(fault[name]) >= 0)) return `${name}: expected a number`;
  const bouncing = fault.bouncing === undefined ? null : bouncingProblem(fault.bouncing);
  return bouncing ?? (fault as Fault);
}
