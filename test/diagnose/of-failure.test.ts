import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOGUE } from '../../functions/diagnose/catalogue.ts';
import { rowOfFailure } from '../../functions/diagnose/of-failure.ts';
import { consequence, FAILURE_CODES } from '../../functions/mail/failure.ts';

test('every failure code has an answer, and every answer is in the catalogue', () => {
  const ids = new Set(CATALOGUE.map(({ id }) => id));
  for (const code of FAILURE_CODES) {
    const id = rowOfFailure(code);
    assert.ok(id === null || ids.has(id), code);
  }
});

test('what only the caller can have done wrong needs no row', () =>
  assert.deepEqual(
    FAILURE_CODES.filter((code) => consequence(code).blame === 'caller' && rowOfFailure(code)),
    ['too_large', 'mail_refused'],
  ));
