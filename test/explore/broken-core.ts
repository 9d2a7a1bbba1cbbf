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
const place = (file: string, from: string, to: string): readonly Mutation[] => [{ file: PLACES[file] ?? '', from, to }];

/** Ways to break the core in one place. Each of them lets a mail go twice, be lost, or be told of untruly. */
export const BREAKS: Readonly<Record<string, readonly Mutation[]>> = {
  'the handle is saved after the bytes': place(
    'deliver',
    `      await write(attempt, { type: 'open'`,
    `      progress = await gmail.upload(sessionUri, made, 0, await ports.token(sender));
      await write(attempt, { type: 'open'`,
  ),
  'a mail is taken over whoever was quicker': place(
    'claim',
    `const taken = await ports.ledger.replace(found, claimed`,
    `const taken = await ports.ledger.replace((await ports.ledger.read(found.entry.id)) ?? found, claimed`,
  ),
  'a session that was opened for one email is used for another': place(
    'head',
    `id === stamp.id && acceptedAt === stamp.acceptedAt && attempts === 1 && state === 'claimed'`,
    `state === 'claimed'`,
  ),
  'neither a lost race nor the lease keeps the bytes back': [
    ...place(
      'deliver',
      `if (!written) throw new MailFailure('in_flight', 'another invocation took the email over', null, held.entry.id);
  attempt.held = written;`,
      `attempt.held = written ?? { ...held, entry: apply(held.entry, event) };`,
    ),
    ...place('deliver', `if (ports.now() >= held.entry.leaseUntil)`, `if (ports.now() < 0)`),
  ],
  'what may be with Gmail begins anew': place(
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

/** The same, where several things must come together: found by a long run. */
export const RARE: typeof BREAKS = {
  'whoever takes over leaves no name': place(
    'transitions',
    `claimId: event.claimId, attempts: entry.attempts + 1`,
    `attempts: entry.attempts + 1`,
  ),
  'after a lost reply the letter is not sent': place(
    'deliver',
    `const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person';`,
    `const unsure = false;`,
  ),
  'a lost reply leaves no trail': place('deliver', `  attempt.proof = null;\n  try {`, `  try {`),
  'the lease is not looked at before the bytes': place('deliver', `if (ports.now() >= held.entry.leaseUntil)`, `if (ports.now() < 0)`),
  'a session that is gone is opened anew': place(
    'deliver',
    `const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person';`,
    `const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person'; if (failure.code === 'session_gone') return recordOutcome(attempt.held, outcomeOf(new MailFailure('google_unavailable', ''), id, ports.now()), ports, 'refused');`,
  ),
  'what is handed over has no new holder': place(
    'enqueue',
    `{ type: 'enqueue', contentHash: hash, claimId: ports.newId() }`,
    `{ type: 'enqueue', contentHash: hash, claimId: found.entry.claimId ?? '' }`,
  ),
  'a mail is moved before its message is': place('change', `  await publishLater(moving, at, taskName(entry, at), ports.taskQueue);\n`, ``),
  'what Gmail waits for the rest of begins anew for its person': place(
    'decide',
    `return change(held, { type: 'ask' }, ports);`,
    `return change(held, { type: 'retry', code: 'google_unavailable', notBefore: null, proof: 'refused' }, ports);`,
  ),
  'a dead letter that cannot be published is acknowledged all the same': place(
    'process',
    `const acknowledged = await publishDeadLetter(named, failure.code, ports).catch(() => false);`,
    `const acknowledged = await publishDeadLetter(named, failure.code, ports).catch(() => true);`,
  ),
  'what can wait nowhere is acknowledged': place(
    'conclude',
    `  if (!ports.taskQueue) return false;\n  const content`,
    `  if (!ports.taskQueue) return true;\n  const content`,
  ),
  'a person drops what is held': place(
    'decide',
    `if (leaseUntil > ports.now()) throw inFlight(leaseUntil);\n  return allows(found.entry, 'drop')`,
    `return allows(found.entry, 'drop')`,
  ),
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
