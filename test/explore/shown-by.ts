import type { Scenario } from './scenario.ts';
import { ASK, tapeOf } from './schedules.ts';

export const ONCE = { delivery: 'direct', later: true, patient: false, prompt: false, via: 'api', clocks: [0] } as const;
export const LATER = { ...ASK, inMs: 10 * 60_000 };

/**
 * The shortest schedule that was found for each break of `BREAKS`: in it the broken core breaks a promise, and the core as it is keeps all.
 * Where a schedule passes by its place after a change of the core, `fc.check` over `scenario` finds another one.
 */
export const SHOWN_BY: Readonly<Record<string, Scenario>> = {
  'the upload session is saved after the bytes': { ...ONCE, acts: [ASK, { ...ASK }], tape: tapeOf({ 2: [0, 13] }) },
  'an email is claimed although another claim was quicker': {
    ...ONCE,
    acts: [ASK, { ...ASK }],
    tape: tapeOf({ 0: [0, 8], 3: [0, 8], 6: [0, 8], 9: [0, 8] }),
  },
  'a session that was opened for one email is used for another': {
    ...ONCE,
    patient: true,
    acts: [ASK],
    tape: tapeOf({ 0: [0, 1], 1: [0, 1] }),
  },
  'bytes leave although the claim was lost and the lease ran out': {
    ...ONCE,
    acts: [{ does: 'publish' }, { does: 'resend', of: 0, withMail: false, asks: true }, { does: 'replay' }],
    tape: tapeOf({ 3: [0, 4], 4: [0] }),
  },
  'an email that may be with Gmail begins anew': { ...ONCE, acts: [ASK, { ...ASK }], tape: tapeOf({ 6: [0, 3] }) },
  'an outcome is recorded over that of another': {
    ...ONCE,
    acts: [{ does: 'publish' }, { does: 'resend', of: 0, withMail: false, asks: false }, { does: 'cancel', of: 0 }],
    tape: tapeOf({ 7: [0, 13, 2], 8: [0, 13, 2], 44: [0] }),
  },
  'an outcome that was not recorded passes for recorded': {
    ...ONCE,
    delivery: 'queued',
    via: 'smtp',
    acts: [ASK],
    tape: tapeOf({ 11: [0, 12, 2], 13: [0, 12, 2], 15: [0, 12, 2], 17: [0, 12, 2], 19: [0, 12, 2], 21: [0, 12, 2] }),
  },
  'a mail is taken back although it has changed': {
    ...ONCE,
    patient: true,
    acts: [LATER, { does: 'move', of: 0, inMs: 300000 }, { does: 'cancel', of: 0 }],
    tape: tapeOf({ 1: [0, 1], 6: [1], 7: [0, 8] }),
  },
  'a message is acknowledged while another has the mail': {
    ...ONCE,
    delivery: 'queued',
    acts: [ASK, { ...ASK }],
    tape: tapeOf({ 3: [0, 1], 4: [0, 1], 8: [0, 13], 9: [0, 1], 10: [2], 13: [0, 1], 16: [0, 6], 17: [0, 1] }),
  },
  'a message that is put off is put nowhere': { ...ONCE, acts: [{ does: 'publish' }], tape: tapeOf({ 0: [0, 1], 5: [0, 2, 2] }) },
  'only a lost reply counts as bytes that left, not every call': {
    ...ONCE,
    prompt: true,
    acts: [LATER, { does: 'move', of: 0, inMs: 300000 }, { does: 'cancel', of: 0 }],
    tape: tapeOf({ 0: [1], 1: [1], 6: [0, 1], 14: [0, 11, 1], 22: [0, 2] }),
  },
  'a refusal of the whole email is believed, and its session is not asked': {
    ...ONCE,
    prompt: true,
    acts: [LATER, { does: 'move', of: 0, inMs: 300000 }, { does: 'cancel', of: 0 }],
    tape: tapeOf({ 0: [1], 1: [1], 6: [0, 1], 14: [0, 11, 1], 22: [0, 2] }),
  },
  'a refused email whose session has all of it counts as not sent': {
    ...ONCE,
    acts: [{ does: 'publish' }, { does: 'resend', of: 0, withMail: false, asks: true }, { does: 'replay' }],
    tape: tapeOf({ 0: [0, 1], 9: [0, 14], 12: [5] }),
  },
  'a key lapses although its email is not over': { ...ONCE, patient: true, acts: [ASK], tape: tapeOf({ 0: [0, 1], 2: [0, 5, 5] }) },
  "a caller's key holds for an hour": { ...ONCE, patient: true, acts: [ASK, { ...ASK }], tape: tapeOf({ 2: [0, 10, 1], 3: [0, 10, 1] }) },
  'over SMTP it is sent as often as it is not found': { ...ONCE, via: 'smtp', acts: [ASK], tape: tapeOf({ 7: [0, 6], 12: [0, 3] }) },
  'a task that has run is taken for one that waits': { ...ONCE, clocks: [-8000], acts: [LATER], tape: tapeOf({ 0: [0, 1] }) },
  'what was never recorded is acknowledged': {
    ...ONCE,
    delivery: 'queued',
    via: 'smtp',
    acts: [ASK],
    tape: tapeOf({ 11: [0, 12, 2], 13: [0, 12, 2], 15: [0, 12, 2], 17: [0, 12, 2], 19: [0, 12, 2], 21: [0, 12, 2] }),
  },
};
