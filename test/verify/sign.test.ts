import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verify as verifyGitHub } from '@octokit/webhooks-methods';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { signAs } from '../../functions/verify/sign.ts';
import { isProven, proofOf } from '../../functions/verify/verify.ts';
import { hookOf, NOW, requestOf, SIGNED_CASES } from './schemes.ts';

const BODY = '{"id":"evt_1","text":"canary-body grüße"}';

for (const { name, hook, secret, other } of SIGNED_CASES)
  test(`${name}: what is signed here is accepted here, and nowhere else`, async () => {
    const proof = proofOf(requestOf(await signAs(hook, secret, Buffer.from(BODY), NOW, 'sample'), BODY), hook);
    assert.deepEqual([proof && (await isProven(proof, [secret])), proof && (await isProven(proof, [other]))], [true, false]);
  });

test("the vendors' own libraries accept it too", async () => {
  const sign = (verify: 'github' | 'stripe' | 'standard-webhooks', secret: string) =>
    signAs(hookOf(verify), secret, Buffer.from(BODY), Date.now(), 'sample');
  const github = await sign('github', 'canary-secret');
  const stripe = await sign('stripe', 'whsec_canary');
  const secret = `whsec_${Buffer.from('canary-secret').toString('base64')}`;
  const standard = await sign('standard-webhooks', secret);
  assert.equal(await verifyGitHub('canary-secret', BODY, github['X-Hub-Signature-256'] ?? ''), true);
  assert.equal(new Stripe('sk_test').webhooks.constructEvent(BODY, stripe['Stripe-Signature'] ?? '', 'whsec_canary').id, 'evt_1');
  assert.deepEqual(new Webhook(secret).verify(BODY, standard), JSON.parse(BODY));
});
