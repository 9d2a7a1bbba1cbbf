import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { breakingAt, type Mutation } from '../chaos/mutation.ts';
import type { Core } from './scenario.ts';

const PLACES: Record<string, string> = {
  deliver: 'functions/mail/delivery/attempt.ts',
  claim: 'functions/mail/delivery/claim.ts',
  head: 'functions/mail/delivery/head-start.ts',
  conclude: 'functions/mail/queue/settle-message.ts',
  policy: 'functions/mail/queue/retry-policy.ts',
  ledger: 'functions/mail/delivery/ledger.ts',
  later: 'functions/mail/queue/publish-later.ts',
  process: 'functions/mail/queue/process-message.ts',
  transitions: 'functions/mail/delivery/transitions.ts',
  change: 'functions/mail/change.ts',
  enqueue: 'functions/mail/queue/enqueue.ts',
  send: 'functions/mail/delivery/send.ts',
  decide: 'functions/mail/delivery/operator-decisions.ts',
};
/** One place in a file of the core, as it is and as it is broken. */
export const place = (file: string, from: string, to: string): readonly Mutation[] => [{ file: PLACES[file] ?? '', from, to }];

/** Ways to break the core in one place. Each of them lets a mail go twice, be lost, or be told of untruly. */
export const BREAKS: Readonly<Record<string, readonly Mutation[]>> = {
  'the upload session is saved after the bytes': place(
    'deliver',
    `      await write(attempt, { type: 'open'`,
    `      progress = await gmail.upload(sessionUri, made, 0, await ports.token(sender));
      await write(attempt, { type: 'open'`,
  ),
  'an email is claimed although another claim was quicker': place(
    'claim',
    `const taken = await ports.ledger.replace(found, claimed`,
    `const taken = await ports.ledger.replace((await ports.ledger.read(found.entry.id)) ?? found, claimed`,
  ),
  'a session that was opened for one email is used for another': place(
    'head',
    `id === stamp.id && acceptedAt === stamp.acceptedAt && attempts === 1 && state === 'claimed'`,
    `state === 'claimed'`,
  ),
  'bytes leave although the claim was lost and the lease ran out': [
    ...place(
      'deliver',
      `if (!written) throw new MailFailure('in_flight', 'another invocation took the email over', null, held.entry.id);
  attempt.held = written;`,
      `attempt.held = written ?? { ...held, entry: apply(held.entry, event) };`,
    ),
    ...place('deliver', `if (ports.now() >= held.entry.leaseUntil)`, `if (ports.now() < 0)`),
  ],
  'an email that may be with Gmail begins anew': place(
    'transitions',
    `  claim: { ...all('claimed', 'queued', 'scheduled', 'claimed', 'waiting', 'parked'), ...all('sending', 'sending', 'unknown') },`,
    `  claim: all('claimed', 'queued', 'scheduled', 'claimed', 'waiting', 'parked', 'sending', 'unknown'),`,
  ),
  'an outcome is recorded over that of another': place(
    'deliver',
    `const written = await retryWrite(() => ports.ledger.replace(hold, entry), ports);`,
    `const written = await retryWrite(async () => ports.ledger.replace((await ports.ledger.read(hold.entry.id)) ?? hold, entry), ports);`,
  ),
  'an outcome that was not recorded passes for recorded': place(
    'deliver',
    `return written ? outcome : { ...outcome, unrecorded: true };`,
    `return written ? outcome : outcome;`,
  ),
  'a mail is taken back although it has changed': place(
    'change',
    `if (!(await ports.ledger.replace({ entry, version }, apply(entry, { type: 'cancel' })))) throw notScheduled('changing');`,
    `await ports.ledger.replace({ entry, version }, apply(entry, { type: 'cancel' }));`,
  ),
  'a message is acknowledged while another has the mail': place(
    'conclude',
    `if (found && (found.entry.leaseUntil > ports.now() || !left?.includes(found.entry.state))) return false;`,
    `if (found && !left?.includes(found.entry.state)) return true;`,
  ),
  'a message that is put off is put nowhere': place(
    'conclude',
    `  await publishLater(
    await toQueueMessage(entry.id, content, 'later', ports),
    at,
    taskName({ id: entry.id, messageHash: hash }, at),
    taskQueue,
  );
  return true;\n}\n\n/** Null`,
    `  return true;\n}\n\n/** Null`,
  ),
  'only a lost reply counts as bytes that left, not every call': [
    ...place('deliver', `  attempt.proof = null;\n  try {`, `  try {`),
    ...place('deliver', `=== 'google_unavailable') attempt.proof = proof;`, `=== 'delivery_unknown') attempt.proof = null;`),
  ],
  'a refusal of the whole email is believed, and its session is not asked': place(
    'deliver',
    `if (refused && gmail.refusalIsProof) {`,
    `if (refused) {`,
  ),
  'a refused email whose session has all of it counts as not sent': place(
    'deliver',
    `if (refused && progress.state === 'partial' && progress.received < message.bytes.length) {`,
    `if (refused && progress.state === 'partial') {`,
  ),
  'a key lapses although its email is not over': place('ledger', `new Set(['sent', 'failed', 'canceled'])`, `new Set(STATES)`),
  "a caller's key holds for an hour": place('claim', `const CALLER_KEY_MS = DAY_MS;`, `const CALLER_KEY_MS = DAY_MS / 24;`),
  'over SMTP it is sent as often as it is not found': place('deliver', `if (attempt.held.entry.repeatedAt !== undefined)`, `if (!attempt)`),
  'a task that has run is taken for one that waits': place('later', `if (await taskQueue.get(taken)) return;`, `return;`),
  'what was never recorded is acknowledged': place('policy', `if (outcome.unrecorded) return { verb: 'nack' };`, ``),
};

/** The core with one place broken, as a module of its own. */
export async function brokenCore(mutations: readonly Mutation[]): Promise<Core> {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-core-'));
  const outfile = join(folder, 'core.cjs');
  await build({
    entryPoints: ['test/explore/core.ts'],
    outfile,
    plugins: [breakingAt(mutations)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  const core = (await import(outfile)) as Core;
  rmSync(folder, { recursive: true });
  return core;
}
