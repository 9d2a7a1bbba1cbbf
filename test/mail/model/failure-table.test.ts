/** Figures in sentences that a caller reads, held against the constants that decide. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEEP_MS } from '../../../functions/mail/delivery/claim.ts';
import { failureInfo } from '../../../functions/mail/model/failure.ts';
import { BODY_MAX_BYTES } from '../../../functions/trigger/common/body.ts';

const numberIn = (text: string, unit: string): number => Number(new RegExp(`(\\d+) ${unit}`).exec(text)?.[1]);

test('an unknown email: the sentence names the days for which the ledger keeps a record', () =>
  assert.equal(numberIn(failureInfo('mail_unknown').fix, 'days'), KEEP_MS / (24 * 60 * 60_000)));

test('an email that is too large: the sentence names what a body holds of files, which base64 makes a third larger', () =>
  assert.equal(numberIn(failureInfo('too_large').fix, 'MB'), (BODY_MAX_BYTES / (1024 * 1024) / 4) * 3));
