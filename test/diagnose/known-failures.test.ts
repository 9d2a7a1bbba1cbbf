import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOGUE } from '../../functions/diagnose/catalogue/catalogue.ts';
import { CAUSE_LABELS } from '../../functions/diagnose/causes/causes.ts';
import { knownOf } from '../../functions/diagnose/known-failures.ts';
import { FAILURE_CODES, failureInfo } from '../../functions/mail/model/failure.ts';

test('every failure code has an answer, and every answer is in the catalogue', () => {
  const ids = new Set(CATALOGUE.map(({ id }) => id));
  for (const code of FAILURE_CODES) {
    const { catalogue, cause } = knownOf(code);
    assert.ok(catalogue === null || ids.has(catalogue), code);
    assert.ok(cause === null || CAUSE_LABELS.includes(cause), code);
  }
});

// The rest says all it knows in its own detail and fix: no text of Google's stands behind it.
test('what an operator has to mend names a cause', () =>
  assert.deepEqual(
    FAILURE_CODES.filter((code) => failureInfo(code).blame === 'operator' && knownOf(code).cause === null),
    [
      'bounces_unwatched',
      'alias_unverified',
      'identity_refused',
      'event_undelivered',
      'route_condition',
      'route_template',
      'queue_missing',
      'queue_refused',
      'content_gone',
      'message_foreign',
      'stopped',
      'unexpected',
    ],
  ));

test('what only the caller can have done wrong needs no row', () =>
  assert.deepEqual(
    FAILURE_CODES.filter((code) => failureInfo(code).blame === 'caller' && knownOf(code).catalogue),
    ['too_large', 'mail_refused'],
  ));
