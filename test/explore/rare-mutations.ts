import type { Mutation } from '../chaos/mutation.ts';
import { place } from './broken-core.ts';
import type { Scenario } from './scenario.ts';
import { ASK, tapeOf } from './schedules.ts';
import { LATER, ONCE } from './shown-by.ts';

/**
 * Ways to break the core where several things must come together: each with a schedule in which it shows. Where the core has changed so
 * much that the schedule passes by the place, `fc.check` over `scenario` finds another one, within some ten thousand schedules.
 */
export const RARE: Readonly<Record<string, { readonly places: readonly Mutation[]; readonly shows: Scenario }>> = {
  'whoever takes over writes no claim id': {
    places: place('transitions', `claimId: event.claimId, attempts: entry.attempts + 1`, `attempts: entry.attempts + 1`),
    shows: {
      ...ONCE,
      via: 'smtp',
      acts: [LATER],
      tape: tapeOf({ 4: [0, 13, 1], 5: [0, 13, 1], 6: [0, 13, 1], 7: [0, 13, 1], 8: [0, 13, 1], 9: [0, 13, 1] }),
    },
  },
  'an email whose reply was lost counts as not sent': {
    places: place(
      'deliver',
      `const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person';`,
      `const unsure = false;`,
    ),
    shows: {
      ...ONCE,
      via: 'smtp',
      acts: [{ does: 'publish' }],
      tape: tapeOf({ 2: [1, 1], 4: [0, 1], 5: [3], 6: [3], 7: [0, 8], 18: [0, 7] }),
    },
  },
  'a lost reply does not count as bytes that left': {
    places: place('deliver', `  attempt.proof = null;\n  try {`, `  try {`),
    shows: {
      ...ONCE,
      delivery: 'queued',
      prompt: true,
      acts: [ASK, { ...ASK }],
      tape: tapeOf({ 3: [3, 1], 11: [0, 11], 17: [0, 1], 21: [0, 11] }),
    },
  },
  'the lease is not looked at before the bytes': {
    places: place('deliver', `if (ports.now() >= held.entry.leaseUntil)`, `if (ports.now() < 0)`),
    shows: { ...ONCE, prompt: true, acts: [ASK, { does: 'drop', of: 0 }], tape: tapeOf({ 6: [0, 8, 1] }) },
  },
  'a session that is gone is opened anew': {
    places: place(
      'deliver',
      `const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person';`,
      `const unsure = attempt.proof === null && failureInfo(failure.code).retry !== 'person'; if (failure.code === 'session_gone') return recordOutcome(attempt.held, outcomeOf(new MailFailure('google_unavailable', ''), id, ports.now()), ports, 'refused');`,
    ),
    shows: {
      ...ONCE,
      delivery: 'queued',
      prompt: true,
      acts: [ASK, { ...ASK }],
      tape: tapeOf({ 3: [3, 1], 11: [0, 12], 12: [0, 10], 16: [0, 11] }),
    },
  },
  'an email that is handed over keeps its claim id': {
    places: place(
      'enqueue',
      `{ type: 'enqueue', contentHash: hash, claimId: ports.newId() }`,
      `{ type: 'enqueue', contentHash: hash, claimId: found.entry.claimId ?? '' }`,
    ),
    shows: {
      ...ONCE,
      later: false,
      acts: [ASK, { ...ASK }],
      tape: tapeOf({ 4: [0, 2], 6: [1], 7: [1], 8: [1], 9: [1], 10: [1], 11: [1, 2], 12: [1], 17: [0, 2], 18: [1] }),
    },
  },
  'a mail is moved before its message is': {
    places: place('change', `  await publishLater(moving, at, taskName(entry, at), ports.taskQueue);\n`, ``),
    shows: { ...ONCE, acts: [LATER, { does: 'move', of: 0, inMs: 5 * 60_000 }], tape: [] },
  },
  'what Gmail waits for the rest of begins anew for its person': {
    places: place(
      'decide',
      `return change(held, { type: 'ask' }, ports);`,
      `return change(held, { type: 'retry', code: 'google_unavailable', notBefore: null, proof: 'refused' }, ports);`,
    ),
    shows: {
      ...ONCE,
      acts: [ASK, { does: 'resend', of: 0, withMail: true, asks: true }],
      tape: tapeOf({ 6: [3], 8: [3, 2, 1], 9: [0, 1], 13: [0, 4, 2] }),
    },
  },
  'a dead letter that cannot be published is acknowledged all the same': {
    places: place(
      'process',
      `const acknowledged = await publishDeadLetter(named, failure.code, ports).catch(() => false);`,
      `const acknowledged = await publishDeadLetter(named, failure.code, ports).catch(() => true);`,
    ),
    shows: {
      ...ONCE,
      acts: [{ does: 'publish' }],
      tape: tapeOf({ 2: [0, 1], 4: [0, 1], 6: [0, 1], 8: [0, 1], 10: [0, 1], 12: [0, 1], 14: [0, 1], 16: [0, 2], 17: [0, 2] }),
    },
  },
  'what can wait nowhere is acknowledged': {
    places: place(
      'conclude',
      `  if (!ports.taskQueue) return false;\n  const content`,
      `  if (!ports.taskQueue) return true;\n  const content`,
    ),
    shows: {
      ...ONCE,
      delivery: 'queued',
      later: false,
      acts: [ASK],
      tape: tapeOf({ 3: [0, 1], 5: [0, 1], 9: [0, 1], 10: [0, 1], 11: [0, 1], 13: [0, 1], 15: [3], 17: [5], 18: [0, 1], 19: [0, 1] }),
    },
  },
  'a person drops what is held': {
    places: place(
      'decide',
      `if (leaseUntil > ports.now()) throw inFlight(leaseUntil);\n  return allows(found.entry, 'drop')`,
      `return allows(found.entry, 'drop')`,
    ),
    shows: { ...ONCE, prompt: true, acts: [ASK, { does: 'drop', of: 0 }], tape: tapeOf({ 6: [1], 7: [1], 8: [1] }) },
  },
};
