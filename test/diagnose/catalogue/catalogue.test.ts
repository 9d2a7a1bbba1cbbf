import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOGUE, type RowId } from '../../../functions/diagnose/catalogue/catalogue.ts';
import { CAUSE_LABELS } from '../../../functions/diagnose/causes/causes.ts';
import { explain } from '../../../functions/diagnose/explain.ts';
import { GOOGLE_SAMPLES } from '../samples-google.ts';
import { SMTP_SAMPLES } from '../samples-smtp.ts';

// A new row does not compile without samples; an empty list is for rows that only ever rank second, see below.
const SAMPLES: Readonly<Record<RowId, readonly string[]>> = { ...SMTP_SAMPLES, ...GOOGLE_SAMPLES };

const SECOND: Readonly<Partial<Record<RowId, string>>> = {
  'host-other-unresolved': 'getaddrinfo ENOTFOUND mail.example.org',
  'host-unknown-word': 'Email failed: getaddrinfo ENOTFOUND jane jane:587',
  'consent-policy-oob': "it doesn't comply with Google's OAuth 2.0 policy",
  'delegation-no-subject': 'unauthorized_client: Client is unauthorized to retrieve access tokens using this method',
  'jwt-bare-key': 'gtoken JWT: Error: invalid_grant',
  'gmail-precondition-no-mailbox': '"reason": "failedPrecondition", "message": "Precondition check failed."',
};

for (const [id, samples] of Object.entries(SAMPLES))
  for (const [index, sample] of samples.entries())
    test(`${id} is found first in its sample ${index + 1}`, () => assert.equal(explain(sample).matches[0]?.id, id));

for (const [id, sample] of Object.entries(SECOND))
  test(`${id} is offered, but not first`, () => {
    const ids = explain(sample).matches.map((match) => match.id);
    assert.ok(ids.indexOf(id as RowId) > 0, ids.join(', '));
  });

test('a row has samples, or ranks second', () =>
  assert.deepEqual(
    CATALOGUE.filter(({ id }) => SAMPLES[id as RowId].length === 0 && !SECOND[id as RowId]).map(({ id }) => id),
    [],
  ));

test('ids are unique', () => assert.equal(new Set(CATALOGUE.map(({ id }) => id)).size, CATALOGUE.length));

test('every cause is found by some row', () => {
  const found = new Set<string>(CATALOGUE.map(({ cause }) => cause));
  assert.deepEqual(
    CAUSE_LABELS.filter((cause) => !found.has(cause)),
    [],
  );
});

test('no pattern keeps state between texts', () =>
  assert.deepEqual(
    CATALOGUE.filter(({ any }) => any.some((pattern) => pattern.global || pattern.sticky)).map(({ id }) => id),
    [],
  ));
