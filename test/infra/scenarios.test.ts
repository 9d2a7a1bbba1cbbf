/** Deployments over their life, by Terraform against the stand-in of the provider: planned, applied, and at rest; changed, and at rest again. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Review } from '../../functions/cli/deploy/review-plan.ts';
import { longTest } from '../support/deep.ts';
import { CHANGE_POLICIES, judge } from '../support/programs/change-policies.ts';
import { type Deployment, openDeployment } from '../support/programs/deployment.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { hasTerraform } from '../support/programs/terraform.ts';

const skip = skipUnless(hasTerraform, 'terraform with MAILGRANT_TERRAFORM_OFFLINE');
const DELEGATE = 'mailgrant-delegate@acme-mail-prod.iam.gserviceaccount.com';
const KEY = 'keys:\n  shop: { sha256: abababababababababababababababababababababababababababababababab, from: [notices@example.com] }\n';
const ONE = 'mailboxes:\n  notices@example.com: {}\n';
const THREE = `${ONE}  bulk@example.com: { via: smtp, rotates: true }\n  sales@example.org: { grant: delegation, delegate: ${DELEGATE} }\n`;
const ROUTES = `${ONE}routes:
  builds: { topic: cloud-builds, from: notices@example.com, to: [dev@example.com], template: cloud-build }
  form: { hook: { verify: github, secret: hook-form }, from: notices@example.com, to: [dev@example.com], template: cloud-build }
documents: { collection: mail, from: notices@example.com, expireDays: 30 }
`;

const types = (review: Review, action: string): string[] =>
  [...new Set(review.all.filter(({ change }) => change.actions.includes(action)).map(({ type }) => type ?? ''))].sort();

describe('a deployment from one mailbox to everything', { skip, timeout: 600_000 }, () => {
  let own: Deployment;
  before(async () => {
    own = await openDeployment();
  });
  after(() => own?.[Symbol.asyncDispose]());

  /** Plans, judges, applies, and demands that the same plan has nothing left to do. */
  async function step(config: string, variables: object, look: (review: Review) => void, but: readonly string[] = []): Promise<void> {
    const review = await own.plan(config, variables as Record<string, unknown>);
    assert.ok(review, 'there is something to do');
    judge(review, but);
    look(review);
    await own.apply();
    assert.equal(await own.plan(config, variables as Record<string, unknown>), null, 'the second plan has nothing to do');
  }

  test('one mailbox', () => step(ONE, {}, ({ create, gone }) => assert.deepEqual([create > 70, gone], [true, []])));

  test('renamed: the old secret stays at Google', () =>
    step(ONE.replace('notices@', 'news@'), {}, ({ gone, words, refused }) => {
      const secret = 'google_secret_manager_secret.mailbox["mailgrant-notices-example-com"]';
      assert.ok(gone.includes(secret));
      assert.match(words[secret] ?? '', /stays at Google/);
      assert.equal(refused, null);
    }));

  longTest('three mailboxes, one by delegation', () =>
    step(THREE, {}, (review) => assert.ok(types(review, 'create').includes('google_project_iam_custom_role'))),
  );

  longTest('two of them removed: the applied plan destroys nothing that holds a grant', () =>
    step(ONE, {}, (review) => assert.ok(types(review, 'delete').includes('google_secret_manager_secret'))),
  );

  longTest('routes, hooks and documents', () =>
    step(ROUTES, { create_topics: ['cloud-builds'], access: { hooks: 'public' } }, (review) => {
      for (const type of ['google_eventarc_trigger', 'google_pubsub_subscription', 'google_secret_manager_secret'])
        assert.ok(types(review, 'create').includes(type), type);
    }),
  );

  longTest('a public api', () =>
    step(`${ROUTES}${KEY}`, { create_topics: ['cloud-builds'], access: { api: 'public', hooks: 'public' } }, ({ all }) =>
      assert.deepEqual(
        all.filter(({ change }) => change.after?.['member'] === 'allUsers' && change.actions[0] === 'create').map(({ address }) => address),
        ['google_cloud_run_v2_service_iam_member.api["everyone"]'],
      ),
    ),
  );

  longTest('a route less: what waits in its subscription is said to be lost', () =>
    step(
      `${ONE}${KEY}`,
      { access: { api: 'public' } },
      ({ words }) => assert.match(Object.values(words).join('\n'), /let it drain first/),
      ['what holds grants, records or emails is not destroyed but left at Google'],
    ),
  );

  longTest('another region is what Google would make anew, and the rules see it', async () => {
    const review = await own.plan(`${ONE}${KEY}`, { access: { api: 'public' }, region: 'europe-north1' });
    const broken = CHANGE_POLICIES['nothing that holds grants, records or emails is made anew']?.(review as Review) ?? [];
    assert.ok(broken.includes('google_firestore_database.ledger[0]') && broken.includes('google_storage_bucket.content'), broken.join());
  });

  longTest('a secret without its policy is what an apply would stop at, and the rules see it', async () => {
    const file = join(own.folder, 'secrets.tf');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll('"ABANDON"', '"DELETE"'));
    await own.plan(`${ONE}${KEY}`, { access: { api: 'public' } });
    await own.apply();
    const review = await own.plan(ONE.replace('notices@', 'news@') + KEY.replace('notices@', 'news@'), { access: { api: 'public' } });
    assert.deepEqual(CHANGE_POLICIES['what holds grants, records or emails is not destroyed but left at Google']?.(review as Review), [
      'google_secret_manager_secret.mailbox["mailgrant-notices-example-com"]',
    ]);
    writeFileSync(file, text);
  });
});
