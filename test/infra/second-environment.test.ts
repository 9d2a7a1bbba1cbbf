/** A second environment beside the first, and a deployment that was destroyed and comes back, against the stand-in of the provider. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { takeOverExisting } from '../../functions/cli/deploy/plan-checks.ts';
import type { Review } from '../../functions/cli/deploy/review-plan.ts';
import { judge } from '../support/programs/change-policies.ts';
import { type Deployment, openDeployment } from '../support/programs/deployment.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { hasTerraform } from '../support/programs/terraform.ts';

const skip = skipUnless(hasTerraform, 'terraform with MAILGRANT_TERRAFORM_OFFLINE');
const ONE = 'mailboxes:\n  notices@example.com: {}\n';

describe('a second environment, and a destroy', { skip, timeout: 600_000 }, () => {
  let own: Deployment;
  const STAGING = { name_prefix: 'staging', database: 'staging', project_id: 'acme-mail-prod' };
  const config = 'mailboxes:\n  staging@example.com: {}\n';
  before(async () => {
    own = await openDeployment();
  });
  after(() => own?.[Symbol.asyncDispose]());

  test('beside the first one, in the same project: no name is taken twice', async () => {
    const names = (review: Review | null): string[] =>
      (review?.all ?? [])
        .filter(({ type }) => !/_iam_member$|project_service|audit_config|terraform_data|firestore_field|bucket_object/.test(type ?? ''))
        .map(({ type, change }) => {
          const { name, account_id, role_id, secret_id, repository_id, display_name } = change.after ?? {};
          return `${type} ${account_id ?? role_id ?? secret_id ?? repository_id ?? name ?? display_name ?? ''}`;
        })
        .filter((one) => !one.endsWith(' '));
    const [first, second] = [names(await own.plan(ONE)), names(await own.plan(config, STAGING))];
    assert.ok(first.length > 30 && second.length === first.length);
    assert.deepEqual(
      first.filter((one) => second.includes(one)),
      [],
    );
  });

  test('applied, it is at rest', async () => {
    judge((await own.plan(config, STAGING)) as Review);
    await own.apply();
    assert.equal(await own.plan(config, STAGING), null);
  });

  test('destroyed and deployed again: database and secret are taken over, and it is at rest', async () => {
    await own.destroy();
    const review = (await own.plan(config, STAGING)) as Review;
    const { imports } = takeOverExisting(
      review,
      'acme-mail-prod',
      'projects/acme-mail-prod/databases/staging\teurope-west1\n',
      'mailgrant-staging-example-com\n',
    );
    const file = join(own.folder, 'mailgrant-imports.tf');
    writeFileSync(file, imports);
    const again = (await own.plan(config, STAGING)) as Review;
    assert.deepEqual([again.imported, again.create], [2, review.create - 2]);
    rmSync(file); // as the command does: the plan holds what it needs
    await own.apply();
    assert.equal(await own.plan(config, STAGING), null);
  });
});
