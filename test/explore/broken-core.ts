import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { breakingAt, type Mutation } from '../chaos/mutation.ts';
import type { Core } from './scenario.ts';

const PLACES: Record<string, string> = {
  deliver: 'functions/mail/delivery/attempt.ts',
  claim: 'functions/mail/delivery/claim.ts',
  conclude: 'functions/mail/queue/settle-message.ts',
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
    `      hold = await replaceOrThrow(hold, step(hold.entry, 'sending', change), ports);
      letter = made;`,
    `      progress = await finish(handle, progress, made, attempt);
      hold = await replaceOrThrow(hold, step(hold.entry, 'sending', change), ports);
      letter = made;`,
  ),
  'a mail is taken over whoever was quicker': place(
    'claim',
    `const taken = await ports.ledger.replace(found, step(`,
    `const taken = await ports.ledger.replace((await ports.ledger.read(found.entry.id)) ?? found, step(`,
  ),
  'neither a lost race nor the lease keeps the bytes back': [
    ...place(
      'deliver',
      `if (!kept) throw new MailFailure('in_flight', 'another invocation took the mail over');`,
      `if (!kept) return { ...hold, entry };`,
    ),
    ...place('deliver', `if (ports.now() >= leaseUntil) throw`, `if (ports.now() < 0) throw`),
  ],
  'what may be with Gmail begins anew': place('claim', `...(asking ? {} : { handle: null, letter: null }),`, `handle: null, letter: null,`),
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
    `if (!(await ports.ledger.replace({ entry, version }, canceled))) throw notScheduled('changing');`,
    `await ports.ledger.replace({ entry, version }, canceled);`,
  ),
  'a message is acknowledged while another has the mail': place(
    'conclude',
    `if (found && (found.entry.leaseUntil > ports.now() || !left?.includes(found.entry.state))) return false;`,
    `if (found && !left?.includes(found.entry.state)) return true;`,
  ),
  'a message that is put off is put nowhere': place(
    'conclude',
    `  await taskQueue.schedule(await toQueueMessage(entry.id, content, 'later', ports), at, taskName({ id: entry.id, content: seal }, at));\n  return true;\n}\n\n/** Null`,
    `  return true;\n}\n\n/** Null`,
  ),
  'what was never recorded is acknowledged': place('conclude', `if (outcome.unrecorded) return { verb: 'nack' };`, ``),
};

/** The same, where several things must come together: found by a long run. */
export const RARE: typeof BREAKS = {
  'whoever takes over leaves no name': place(
    'claim',
    `    holder: ports.newId(),\n    attempts: attempts + 1,`,
    `    attempts: attempts + 1,`,
  ),
  'after a lost reply the letter is not sent': place(
    'deliver',
    `const unsure = trail.left && failure.code !== 'session_gone';`,
    `const unsure = false;`,
  ),
  'a lost reply leaves no trail': place('deliver', `      attempt.trail.left = true;\n`, ``),
  'the lease is not looked at before the bytes': place('deliver', `if (ports.now() >= leaseUntil) throw`, `if (ports.now() < 0) throw`),
  'a session that is gone is opened anew': place(
    'deliver',
    `const unsure = trail.left && failure.code !== 'session_gone';`,
    `const unsure = trail.left && failure.code !== 'session_gone'; if (failure.code === 'session_gone') return recordOutcome(hold, outcomeOf(new MailFailure('google_unavailable', ''), id, ports.now()), ports);`,
  ),
  'what is handed over has no new holder': place(
    'enqueue',
    `const change = { content: contentHash(content, ports.digest), holder: ports.newId() };`,
    `const change = { content: contentHash(content, ports.digest) };`,
  ),
  'a mail is moved before its message is': place('change', `  await ports.taskQueue.schedule(moving, at, taskName(entry, at));\n`, ``),
  'what Gmail waits for the rest of begins anew for its person': place(
    'decide',
    `return write(held, step(held.entry, 'sending', { leaseUntil: 0 }), ports);`,
    `return write(held, step(held.entry, 'waiting', ended), ports);`,
  ),
  'a person drops what is held': place(
    'decide',
    `if (leaseUntil > ports.now()) throw inFlight(leaseUntil);\n  if (!DROPPABLE`,
    `if (!DROPPABLE`,
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
