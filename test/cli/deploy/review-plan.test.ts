/** What a plan comes to in words, what must not be applied, and what the pipeline may not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checksOfPlan, notesOf, takeOverExisting } from '../../../functions/cli/deploy/plan-checks.ts';
import { isTheRestOf, PIPELINE_MAY, type PlannedChange, reviewPlan, reviewText } from '../../../functions/cli/deploy/review-plan.ts';

type Row = { address: string; actions: string[]; after?: object; before?: object; reason?: string };
const review = (...rows: Row[]) =>
  reviewPlan(
    JSON.stringify({
      resource_changes: rows.map(({ address, actions, after, before, reason }) => ({
        address,
        type: /(\w+)\.\w+(\[.*)?$/.exec(address)?.[1],
        ...(reason && { action_reason: reason }),
        change: { actions, before: before ?? null, after: after ?? null },
      })),
    }),
  );
const SECRET = 'google_secret_manager_secret.mailbox["mailgrant-a"]';

test('what a destroy means is said beside it, and a taint is no loss', () => {
  const text = reviewText(
    review(
      { address: SECRET, actions: ['delete'] },
      { address: 'google_pubsub_subscription.push["route/orders"]', actions: ['delete'] },
      { address: 'google_cloudfunctions2_function.this["api"]', actions: ['delete', 'create'], reason: 'replace_because_tainted' },
      { address: 'google_cloud_run_v2_service_iam_member.worker["push"]', actions: ['delete', 'create'], reason: 'replace_by_triggers' },
    ),
  );
  assert.match(text, /^2 to create, 0 to change, 4 to destroy\.$/m);
  for (const said of [/mailbox.*stays at Google.*revoke/, /route\/orders.*drain/, /function.*did not finish/, /worker.*comes back/])
    assert.match(text, said);
});

const refusals: readonly { readonly name: string; readonly rows: Row[]; readonly refused: boolean }[] = [
  { name: 'a secret in another region', rows: [{ address: SECRET, actions: ['delete', 'create'] }], refused: true },
  {
    name: 'a ledger in another region',
    rows: [{ address: 'google_firestore_database.ledger[0]', actions: ['create', 'delete'] }],
    refused: true,
  },
  { name: 'the same in a module', rows: [{ address: `module.mailgrant.${SECRET}`, actions: ['delete', 'create'] }], refused: true },
  {
    name: 'a bucket in another region',
    rows: [{ address: 'google_storage_bucket.content', actions: ['delete', 'create'] }],
    refused: true,
  },
  {
    name: 'a bucket that did not finish',
    rows: [{ address: 'google_storage_bucket.content', actions: ['delete', 'create'], reason: 'replace_because_tainted' }],
    refused: false,
  },
  { name: 'a mailbox that left the config', rows: [{ address: SECRET, actions: ['delete'] }], refused: false },
  {
    name: 'an archive of new code',
    rows: [{ address: 'google_storage_bucket_object.source["api"]', actions: ['delete', 'create'] }],
    refused: false,
  },
];
for (const { name, rows, refused } of refusals)
  test(`${name} is ${refused ? '' : 'not '}refused`, () => assert.equal(review(...rows).refused !== null, refused));

test('the pipeline sends home what changes rights, and takes what changes code and settings', () => {
  const { person } = review(
    { address: 'google_cloudfunctions2_function.this["api"]', actions: ['update'] },
    { address: 'google_storage_bucket_object.source["api"]', actions: ['delete', 'create'] },
    { address: 'google_monitoring_dashboard.this', actions: ['update'] },
    { address: 'google_service_account.this["hooks"]', actions: ['create'] },
    { address: 'google_pubsub_subscription_iam_member.dead_letter["route/x"]', actions: ['create'] },
    { address: 'google_pubsub_subscription.push["route/x"]', actions: ['create'] },
    { address: 'google_secret_manager_secret.mailbox["x"]', actions: ['create'] },
    { address: 'google_project_iam_member.events[0]', actions: ['no-op'] },
  );
  assert.deepEqual(person, [
    'google_service_account.this["hooks"]',
    'google_pubsub_subscription_iam_member.dead_letter["route/x"]',
    'google_pubsub_subscription.push["route/x"]',
    'google_secret_manager_secret.mailbox["x"]',
  ]);
});

/** What each change of PIPELINE_MAY calls, by Google's reference of the methods. */
const CALLS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  google_artifact_registry_repository: { update: ['artifactregistry.repositories.update'] },
  google_cloud_scheduler_job: {
    create: ['cloudscheduler.jobs.create'],
    update: ['cloudscheduler.jobs.update'],
    delete: ['cloudscheduler.jobs.delete'],
  },
  google_cloud_tasks_queue: { update: ['cloudtasks.queues.update'] },
  google_cloudfunctions2_function: { create: ['cloudfunctions.functions.create'], update: ['cloudfunctions.functions.update'] },
  google_eventarc_trigger: { update: ['eventarc.triggers.update'] },
  google_firestore_field: {
    create: ['datastore.indexes.update'],
    update: ['datastore.indexes.update'],
    delete: ['datastore.indexes.update'],
  },
  google_logging_metric: {
    create: ['logging.logMetrics.create'],
    update: ['logging.logMetrics.update'],
    delete: ['logging.logMetrics.delete'],
  },
  google_monitoring_alert_policy: {
    create: ['monitoring.alertPolicies.create'],
    update: ['monitoring.alertPolicies.update'],
    delete: ['monitoring.alertPolicies.delete'],
  },
  google_monitoring_dashboard: {
    create: ['monitoring.dashboards.create'],
    update: ['monitoring.dashboards.update'],
    delete: ['monitoring.dashboards.delete'],
  },
  google_monitoring_notification_channel: {
    create: ['monitoring.notificationChannels.create'],
    update: ['monitoring.notificationChannels.update'],
    delete: ['monitoring.notificationChannels.delete'],
  },
  google_pubsub_subscription: { update: ['pubsub.subscriptions.update'] },
  google_pubsub_topic: { update: ['pubsub.topics.update'] },
  google_secret_manager_secret: { update: ['secretmanager.secrets.update'], delete: [] }, // ABANDON: nothing is called
  google_storage_bucket_object: { create: [], update: [], delete: [] }, // roles/storage.objectUser on the bucket
  terraform_data: { create: [], update: [], delete: [] },
};

test('what the pipeline may change is what its role holds, and no more', () => {
  const build = readFileSync('infra/build.tf', 'utf8');
  const held = new Set([...(/changes = \[([\s\S]*?)\]/.exec(build)?.[1] ?? '').matchAll(/"([\w.]+)"/g)].map(([, one]) => String(one)));
  assert.deepEqual(
    Object.fromEntries(Object.entries(PIPELINE_MAY).map(([type, acts]) => [type, [...acts].sort()])),
    Object.fromEntries(Object.entries(CALLS).map(([type, acts]) => [type, Object.keys(acts).sort()])),
  );
  const called = new Set(Object.values(CALLS).flatMap((acts) => Object.values(acts).flat()));
  assert.deepEqual(
    [...called].filter((one) => !held.has(one)),
    [],
  );
  // A push goes to a topic, and whoever changes a subscription needs this on it.
  assert.deepEqual(
    [...held].filter((one) => !called.has(one)),
    ['pubsub.topics.attachSubscription'],
  );
});

test('the rest of a plan does no more than was consented to', () => {
  const api = 'google_cloudfunctions2_function.this["api"]';
  const consented = review({ address: api, actions: ['create'] }, { address: SECRET, actions: ['create'] });
  const rests: readonly [boolean, Row[]][] = [
    [true, [{ address: api, actions: ['create'] }]],
    [true, [{ address: api, actions: ['delete', 'create'], reason: 'replace_because_tainted' }]],
    [false, [{ address: api, actions: ['delete', 'create'] }]],
    [false, [{ address: SECRET, actions: ['delete'] }]],
    [false, [{ address: 'google_pubsub_topic.other', actions: ['create'] }]],
    [true, []],
  ];
  for (const [same, rows] of rests) assert.equal(isTheRestOf(consented, review(...rows)), same, JSON.stringify(rows));
});

const ended = (status: number, stdout = '') => ({ status, stdout });
const checksFor = (...rows: Row[]) => checksOfPlan(review(...rows), 'acme');

test('topics that nobody makes are looked for: ours must be there, those of others may be hidden', () => {
  const push = (topic: string): Row => ({ address: `google_pubsub_subscription.push["${topic}"]`, actions: ['create'], after: { topic } });
  const checks = checksFor(
    push('projects/acme/topics/cloud-builds'),
    push('projects/shop/topics/orders'),
    push('projects/acme/topics/made'),
    { address: 'google_pubsub_topic.route["made"]', actions: ['create'], after: { name: 'made' } },
    { address: 'google_pubsub_subscription.push["mails"]', actions: ['create'], after: {} },
    {
      address: 'google_cloudbuild_trigger.pipeline["plan"]',
      actions: ['create'],
      after: { pubsub_config: [{ topic: 'projects/acme/topics/cloud-builds' }] },
    },
  );
  assert.deepEqual(
    checks.map(({ name, must, argv }) => [name, must, argv.at(-2)]),
    [
      ['topic cloud-builds', true, 'projects/acme/topics/cloud-builds'],
      ['topic orders', false, 'projects/shop/topics/orders'],
    ],
  );
  assert.match(checks[0]?.fix ?? '', /create_topics = \["cloud-builds"\]/);
  assert.deepEqual([checks[0]?.well(ended(0)), checks[0]?.well(ended(1))], [true, false]);
});

test('documents: the database must be there, where the trigger is', () => {
  const [check] = checksFor({
    address: 'google_eventarc_trigger.documents[0]',
    actions: ['create'],
    after: {
      location: 'europe-west1',
      matching_criteria: [
        { attribute: 'type', value: 'x' },
        { attribute: 'database', value: '(default)' },
      ],
    },
  });
  assert.deepEqual(
    [check?.well(ended(0, 'europe-west1\n')), check?.well(ended(0, 'nam5\n')), check?.well(ended(1)), check?.must],
    [true, false, false, true],
  );
  assert.match(check?.fix ?? '', /documents_location = .*databases create --database='\(default\)' --location=europe-west1/);
});

test('a public function is held against the policy of the organisation', () => {
  const [check] = checksFor({
    address: 'google_cloud_run_v2_service_iam_member.api["everyone"]',
    actions: ['create'],
    after: { member: 'allUsers' },
  });
  const answers: readonly [boolean, number, string][] = [
    [true, 0, '{"constraint":"constraints/iam.allowedPolicyMemberDomains","listPolicy":{"allValues":"ALLOW"}}'],
    [true, 0, '{"constraint":"constraints/iam.allowedPolicyMemberDomains","listPolicy":{}}'],
    [true, 0, '{}'],
    [false, 0, '{"listPolicy":{"allowedValues":["C0abc"]}}'],
    [false, 0, '{"listPolicy":{"allValues":"DENY"}}'],
    [false, 1, ''],
  ];
  for (const [well, status, stdout] of answers) assert.equal(check?.well(ended(status, stdout)), well, stdout);
  assert.equal(check?.must, false);
  assert.deepEqual(
    checksFor({ address: 'google_cloud_run_v2_service_iam_member.api["x"]', actions: ['create'], after: { member: 'user:x@example.com' } }),
    [],
  );
});

test('a region in which young projects may not build is said, once there is something to build', () => {
  const one = (location: string, action: string): Row => ({
    address: 'google_cloudfunctions2_function.this["api"]',
    actions: [action],
    after: { location },
  });
  assert.deepEqual([notesOf(review(one('europe-west1', 'create'))), notesOf(review(one('europe-west4', 'update')))], [[], []]);
  assert.match(notesOf(review(one('europe-west4', 'create'))).join(), /europe-west1.*not in europe-west4/);
});

test('what outlived a destroy is taken over, at its own address; a database elsewhere stops', () => {
  const plan = review(
    {
      address: 'module.mailgrant.google_firestore_database.ledger[0]',
      actions: ['create'],
      after: { name: 'mailgrant', location_id: 'europe-west1' },
    },
    { address: SECRET, actions: ['create'], after: { secret_id: 'mailgrant-a' } },
    { address: 'google_secret_manager_secret.mailbox["mailgrant-b"]', actions: ['create'], after: { secret_id: 'mailgrant-b' } },
  );
  const { imports, wrong } = takeOverExisting(
    plan,
    'acme',
    'projects/acme/databases/mailgrant\teurope-west1\n',
    'projects/1/secrets/mailgrant-a\n',
  );
  assert.equal(wrong, null);
  assert.deepEqual(
    [...imports.matchAll(/to = (.*)\n {2}id = "(.*)"/g)].map(([, to, id]) => [to, id]),
    [
      ['module.mailgrant.google_firestore_database.ledger[0]', 'projects/acme/databases/mailgrant'],
      [SECRET, 'projects/acme/secrets/mailgrant-a'],
    ],
  );
  assert.match(takeOverExisting(plan, 'acme', 'projects/acme/databases/mailgrant nam5\n', '').wrong ?? '', /nam5.*create_database = false/);
  assert.deepEqual(takeOverExisting(plan, 'acme', '', ''), { imports: '', wrong: null });
});

test('the type of an address is its last name, in a module too', () => {
  const bare: PlannedChange = { address: 'module.mailgrant.google_pubsub_topic.mails', change: { actions: ['update'] } };
  assert.deepEqual(reviewPlan(JSON.stringify({ resource_changes: [bare] })).person, []);
});
