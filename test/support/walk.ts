/** One email through the code, file by file: the walk of CONTRIBUTING.md, with how long each file is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Step {
  readonly file: string;
  readonly does: string;
}

const step = (file: string, does: string): Step => ({ file, does });

/** `POST /emails`, answered at once. */
const DIRECT: readonly Step[] = [
  step('api.ts', 'one sentence: connects the adapters, names the trigger'),
  step('runtime/serve.ts', 'takes the request before the framework reads its body; drains on SIGTERM'),
  step('trigger/http/resend-api.ts', 'the API: finds the operation, asks who calls, answers'),
  step('trigger/http/authenticate.ts', 'an API key or an IAM identity becomes a caller'),
  step('trigger/common/body.ts', 'reads the body within its limits'),
  step('mail/accept.ts', '**the front door**: prepare, then send now or hand to the queue'),
  step('mail/message/prepared-email.ts', 'fields, permissions, sender: a checked email that can be composed'),
  step('mail/message/email.ts', 'each field of the request, with what is wrong in it'),
  step('mail/delivery/send.ts', 'rate limits, claim, and what may be begun beside the claim'),
  step('mail/delivery/head-start.ts', 'token, message and upload session, begun beside the claim'),
  step('mail/delivery/claim.ts', 'creates or takes the ledger entry, so that one invocation works on the email'),
  step('mail/delivery/transitions.ts', 'which event leads from which state to which, and what it sets'),
  step('google/firestore/firestore-ledger.ts', 'the ledger in Firestore, with preconditions'),
  step('google/auth/token-cache.ts', 'one access token for each mailbox and invocation'),
  step('google/auth/secret-manager.ts', 'the refresh token, kept for at most five minutes'),
  step('google/auth/token-endpoint.ts', 'refresh token → access token'),
  step('mail/delivery/attempt.ts', 'opens the upload session, stores its URI, uploads, asks when in doubt'),
  step('mail/message/compose.ts', 'the MIME message: same email and key, same bytes'),
  step('google/gmail/upload-session.ts', 'Gmail’s resumable upload'),
  step('google/http/exchange.ts', 'one HTTPS exchange, and whether bytes may have left'),
  step('mail/delivery/outcome.ts', 'a failure becomes `sent`, `failed`, `retry`, `parked` or `unknown`'),
  step('trigger/http/resend-answer.ts', 'the outcome becomes an HTTP answer'),
];

/** What is different where the worker sends it. */
const QUEUED: readonly Step[] = [
  step('mail/queue/enqueue.ts', 'publishes the email for the worker, once it is in the ledger'),
  step('mail/queue/queue-message.ts', 'what travels on Pub/Sub'),
  step('worker.ts', 'the other function'),
  step('trigger/pubsub/push-handler.ts', 'reads the push; its status tells Pub/Sub what to do'),
  step('mail/queue/process-message.ts', 'one queue message: resume, then claim and send as above'),
  step('mail/queue/retry-policy.ts', 'acknowledge, refuse, postpone or dead-letter'),
  step('mail/queue/settle-message.ts', 'does what the retry policy says'),
  step('mail/queue/dead-letter.ts', 'what was given up, with its reason'),
];

const ROOT = join(import.meta.dirname, '../..');
/** Tens of lines: exact numbers would change with every comment. */
const linesOf = (file: string): number =>
  Math.max(10, Math.round(readFileSync(join(ROOT, 'functions', file), 'utf8').split('\n').length / 10) * 10);
const listed = (steps: readonly Step[]): string =>
  steps.map(({ file, does }, place) => `${place + 1}. \`${file}\` (${linesOf(file)}): ${does}`).join('\n');

/** The walk as Markdown. */
export const walkText = (): string =>
  `Direct, \`POST /emails\` (about as many lines as in brackets):\n\n${listed(DIRECT)}\n\nQueued, \`delivery: queued\` or \`scheduled_at\`: after step 8\n\n${listed(QUEUED)}`;
