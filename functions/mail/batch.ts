import { acceptPrepared } from './accept.ts';
import { isAccepted, type Outcome } from './delivery/outcome.ts';
import type { Ports } from './delivery/ports.ts';
import { type PreparedEmail, prepareEmail } from './message/prepared-email.ts';
import { prepareTime } from './message/scheduled-at.ts';
import type { Caller, Config } from './model/config.ts';
import { failureInfo, MailFailure, toFailure } from './model/failure.ts';

/** Several emails that a caller sends at once, under one idempotency key. */
export interface Batch {
  readonly body: unknown;
  readonly caller: Caller;
  readonly key: string | null;
  /** True: the valid emails are sent although others are invalid. False: one invalid email refuses the whole batch. */
  readonly permissive: boolean;
}

/** What happened to the email at `index`; `outcome` is null where the fields were no valid email. */
export interface Ended {
  readonly index: number;
  readonly outcome: Outcome | null;
  readonly failure: MailFailure | null;
}

const MAX = 100;
const AT_ONCE = 4; // Gmail limits what one mailbox sends at the same time

/**
 * Sends a batch. Every email is checked before the first one is sent, and each has its own entry in the ledger. The request hash
 * of each email covers the whole batch, so that a batch with one changed email is a different batch. Answers in the order of the
 * request. `fill` completes the body of one email. Throws MailFailure where nothing was sent: the batch is invalid, or its key is
 * taken or in flight. A later failure of a single email is in the answer.
 */
export async function sendBatch(
  { body, caller, key, permissive }: Batch,
  config: Config,
  ports: Ports,
  fill: (body: unknown) => Promise<Filled> = async (one) => ({ body: one }),
): Promise<Ended[]> {
  if (!Array.isArray(body)) throw new MailFailure('request_invalid', 'The request body must be a JSON array of emails.');
  if (body.length < 1 || body.length > MAX)
    throw new MailFailure('request_invalid', `A batch has 1 to ${MAX} emails; this one has ${body.length}.`);
  await Promise.all(body.map(prepareTime));
  const checked = await Promise.all(
    body.map(async (one: unknown, index) => {
      try {
        return check(await fill(one), index, caller, config, ports);
      } catch (error) {
        return refused(one, index, error, ports);
      }
    }),
  );
  const invalid = checked.find(({ failure }) => failure);
  if (invalid?.failure && !permissive) throw new MailFailure(invalid.failure.code, `Email ${invalid.index}: ${invalid.failure.message}`);

  const whole = ports.digest(checked.map(({ requestHash }) => requestHash).join('\n'));
  const valid = checked.flatMap(({ index, draft }) => (draft ? [{ index, draft }] : []));
  const run = async ({ index, draft }: { index: number; draft: PreparedEmail }): Promise<Ended> => {
    const pinned = { ...draft, requestHash: ports.digest(`${whole}\n${index}`) };
    // The first email has the caller's own key. The keys of the other emails hold a line break, which no HTTP header can, so no
    // caller can give such a key.
    const own = key === null || index === valid[0]?.index ? key : `${key}\n${index}`;
    const outcome = await acceptPrepared(pinned, { caller, key: own, retryFailed: true, pinned: true }, config, ports);
    return { index, outcome, failure: isAccepted(outcome) ? null : outcome.failure };
  };
  // The first email decides whether the key is free, before any other email is claimed.
  const [first, ...others] = valid;
  const lead = first ? [await run(first)] : [];
  const rest = await pooled(others, (one) => run(one).catch((error) => ({ index: one.index, outcome: null, failure: toFailure(error) })));
  const invalidOnes = checked.flatMap(({ index, failure }) => (failure ? [{ index, outcome: null, failure }] : []));
  return [...invalidOnes, ...lead, ...rest].sort((a, b) => a.index - b.index);
}

/** A complete body, and the hash of what was asked for, where the body was made from it. */
export interface Filled {
  readonly body: unknown;
  readonly requestHash?: string;
}

interface Checked {
  readonly index: number;
  readonly draft: PreparedEmail | null;
  readonly failure: MailFailure | null;
  readonly requestHash: string;
}

function check({ body, requestHash }: Filled, index: number, caller: Caller, config: Config, ports: Ports): Checked {
  const draft = prepareEmail(body, caller, config, ports);
  return { index, draft, failure: null, requestHash: requestHash ?? draft.requestHash };
}

/** Throws a failure that the caller did not cause. */
function refused(one: unknown, index: number, error: unknown, ports: Ports): Checked {
  const failure = toFailure(error);
  if (failureInfo(failure.code).blame !== 'caller') throw failure;
  return { index, draft: null, failure, requestHash: ports.digest(JSON.stringify(one) ?? '') };
}

async function pooled<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results.push(await run(items[index] as T));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
