/** What every account may do, and the call in the code that needs it: no right is missing, and none is there that nothing uses. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { skipUnless } from '../support/programs/emulators.ts';
import { fixture, hasTerraform, type Plan, plan } from '../support/programs/terraform.ts';

const skip = skipUnless(hasTerraform, 'terraform with MAILGRANT_TERRAFORM_OFFLINE');

/** A grant of infra/, who holds it, and where the code makes the call that needs it; `role` is left out where it is one of our own. */
interface Row {
  readonly who: readonly string[];
  readonly grant: string;
  readonly role?: string;
  readonly call: readonly [file: string, text: string];
}

const CARRY = ['api', 'hooks', 'worker'];
const MINT = ['api', 'hooks', 'watch', 'worker'];
const PUBLISHER = 'roles/pubsub.publisher';
const ACCESSOR = 'roles/secretmanager.secretAccessor';
const INVOKER = 'roles/run.invoker';

const rows: readonly Row[] = [
  {
    who: MINT,
    grant: 'google_secret_manager_secret_iam_member.read',
    role: ACCESSOR,
    call: ['functions/google/auth/secret-manager.ts', '/versions/latest:access'],
  },
  {
    who: MINT,
    grant: 'google_secret_manager_secret_iam_member.rotate',
    role: 'roles/secretmanager.secretVersionAdder',
    call: ['functions/google/auth/secret-manager.ts', ':addVersion'],
  },
  {
    who: ['hooks'],
    grant: 'google_secret_manager_secret_iam_member.hook',
    role: ACCESSOR,
    call: ['functions/google/auth/webhook-verifier.ts', 'secrets.read('],
  },
  { who: MINT, grant: 'google_service_account_iam_member.jwt_signer', call: ['functions/google/auth/jwt-bearer.ts', ':signJwt'] },
  {
    who: CARRY,
    grant: 'google_project_iam_member.ledger',
    role: 'roles/datastore.user',
    call: ['functions/google/firestore/firestore-client.ts', ':commit'],
  },
  {
    who: ['watch'],
    grant: 'google_project_iam_member.ledger_watch',
    role: 'roles/datastore.viewer',
    call: ['functions/google/firestore/firestore-client.ts', ':runQuery'],
  },
  {
    who: ['worker'],
    grant: 'google_project_iam_member.documents',
    role: 'roles/datastore.user',
    call: ['functions/google/firestore/firestore-documents.ts', '.commit('],
  },
  {
    who: CARRY,
    grant: 'google_pubsub_topic_iam_member.publish',
    role: PUBLISHER,
    call: ['functions/google/queue/pubsub-topic.ts', ':publish'],
  },
  {
    who: ['tasks'],
    grant: 'google_pubsub_topic_iam_member.publish',
    role: PUBLISHER,
    call: ['functions/google/queue/cloud-tasks.ts', ':publish'],
  },
  {
    who: ['worker'],
    grant: 'google_pubsub_topic_iam_member.give_up',
    role: PUBLISHER,
    call: ['functions/mail/queue/dead-letter.ts', 'deadLetters'],
  },
  {
    who: CARRY,
    grant: 'google_pubsub_topic_iam_member.events',
    role: PUBLISHER,
    call: ['functions/google/events/hand-over.ts', '.publish('],
  },
  {
    who: ['worker'],
    grant: 'google_secret_manager_secret_iam_member.events',
    role: ACCESSOR,
    call: ['functions/google/events/email-events.ts', 'secrets.read('],
  },
  { who: CARRY, grant: 'google_cloud_tasks_queue_iam_member.events', call: ['functions/google/events/event-tasks.ts', '/tasks`'] },
  { who: CARRY, grant: 'google_cloud_tasks_queue_iam_member.carry', call: ['functions/google/queue/cloud-tasks.ts', '/tasks`'] },
  {
    who: CARRY,
    grant: 'google_service_account_iam_member.act_as_tasks',
    role: 'roles/iam.serviceAccountUser',
    call: ['functions/google/queue/cloud-tasks.ts', 'oauthToken'],
  },
  {
    who: CARRY,
    grant: 'google_storage_bucket_iam_member.content',
    role: 'roles/storage.objectUser',
    call: ['functions/google/queue/content-bucket.ts', 'uploadType=media'],
  },
  { who: ['push'], grant: 'google_cloud_run_v2_service_iam_member.worker', role: INVOKER, call: ['infra/pubsub.tf', 'oidc_token'] },
  {
    who: ['tasks'],
    grant: 'google_cloud_run_v2_service_iam_member.worker',
    role: INVOKER,
    call: ['functions/google/events/event-tasks.ts', 'oidcToken'],
  },
  { who: ['schedule'], grant: 'google_cloud_run_v2_service_iam_member.worker', role: INVOKER, call: ['infra/events.tf', 'oidc_token'] },
  {
    who: ['gmail-api-push@system'],
    grant: 'google_pubsub_topic_iam_member.gmail',
    role: PUBLISHER,
    call: ['functions/google/inspect/inspect-bounces.ts', '.watch({ userId'],
  },
  { who: ['events'], grant: 'google_cloud_run_v2_service_iam_member.worker', role: INVOKER, call: ['infra/documents.tf', 'destination'] },
  {
    who: ['events'],
    grant: 'google_project_iam_member.events',
    role: 'roles/eventarc.eventReceiver',
    call: ['infra/documents.tf', 'service_account '],
  },
  { who: ['schedule'], grant: 'google_cloud_run_v2_service_iam_member.watch', role: INVOKER, call: ['infra/scheduler.tf', 'oidc_token'] },
  {
    who: ['build'],
    grant: 'google_project_iam_member.build_logs',
    role: 'roles/logging.logWriter',
    call: ['infra/functions.tf', 'service_account '],
  },
  {
    who: ['build'],
    grant: 'google_project_iam_member.build_source',
    role: 'roles/storage.objectViewer',
    call: ['infra/functions.tf', 'storage_source'],
  },
  {
    who: ['build'],
    grant: 'google_artifact_registry_repository_iam_member.build_images',
    role: 'roles/artifactregistry.writer',
    call: ['infra/functions.tf', 'docker_repository'],
  },
];

/** What custom roles hold, and the call of tasks.ts or assertion.ts behind each permission. */
const OWN: Readonly<Record<string, Readonly<Record<string, readonly [file: string, text: string]>>>> = {
  timetable: {
    'cloudtasks.tasks.create': ['functions/google/queue/cloud-tasks.ts', "method: 'POST'"],
    'cloudtasks.tasks.delete': ['functions/google/queue/cloud-tasks.ts', "method: 'DELETE'"],
    'cloudtasks.tasks.fullView': ['functions/google/queue/cloud-tasks.ts', 'responseView=FULL'],
    'cloudtasks.tasks.get': ['functions/google/queue/cloud-tasks.ts', "method: 'GET'"],
  },
  event_teller: { 'cloudtasks.tasks.create': ['functions/google/events/event-tasks.ts', "method: 'POST'"] },
  jwt_signer: { 'iam.serviceAccounts.signJwt': ['functions/google/auth/jwt-bearer.ts', ':signJwt'] },
};

describe('the grants of infra/ and the calls of the code', { skip }, () => {
  let full: Plan;
  before(async () => {
    full = await plan(fixture('full'));
  });
  const held = (who: string): string[] =>
    full.resources
      .filter(
        ({ type, values }) =>
          type.endsWith('_iam_member') &&
          values['member'] === `serviceAccount:${who.includes('@') ? who : `mailgrant-${who}@acme-mail-prod.iam`}.gserviceaccount.com`,
      )
      .map(({ type, name, values }) => `${type}.${name} ${values['role'] ?? 'own'}`);

  for (const who of [...new Set(rows.flatMap((row) => row.who))].sort())
    test(`${who} may do what it does, and no more`, () =>
      assert.deepEqual(
        [...new Set(held(who))].sort(),
        rows
          .filter((row) => row.who.includes(who))
          .map(({ grant, role = 'own' }) => `${grant} ${role}`)
          .sort(),
      ));

  test('every account is in the table, but the delegate, which may do nothing', () => {
    const accounts = full.resources
      .filter(({ type }) => type === 'google_service_account')
      .map(({ values }) => String(values['account_id']));
    const told = new Set(rows.flatMap(({ who }) => who));
    assert.deepEqual(
      accounts.map((one) => one.replace('mailgrant-', '')).filter((one) => !told.has(one)),
      ['delegate'],
    );
    assert.deepEqual(held('delegate'), []);
  });

  test('a custom role holds what is called, and no more', () => {
    const roles = full.resources.filter(({ type }) => type === 'google_project_iam_custom_role');
    assert.deepEqual(
      Object.fromEntries(roles.map(({ name, values }) => [name, [...(values['permissions'] as string[])].sort()])),
      Object.fromEntries(Object.entries(OWN).map(([name, needed]) => [name, Object.keys(needed).sort()])),
    );
  });

  test("with a queue between them api and hooks read no mailbox's grant", async () => {
    const queued = await plan(fixture('queued'));
    const readers = queued.resources.filter(({ type, name }) => type === 'google_secret_manager_secret_iam_member' && name !== 'hook');
    assert.deepEqual([...new Set(readers.map(({ values }) => /mailgrant-(\w+)@/.exec(String(values['member']))?.[1]))].sort(), [
      'watch',
      'worker',
    ]);
  });
});

for (const [file, text] of [...rows.map(({ call }) => call), ...Object.values(OWN).flatMap((needed) => Object.values(needed))])
  test(`${file} still has ${text}`, () => assert.ok(readFileSync(file, 'utf8').includes(text)));
