/** Rules over plans of infra/, each seen to find a mistake that was planted for it. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { skipUnless } from '../support/programs/emulators.ts';
import { POLICIES } from '../support/programs/policies.ts';
import { copyOfInfra, fixture, hasTerraform, INFRA, type Plan, plan, staticCheck } from '../support/programs/terraform.ts';

const skip = skipUnless(hasTerraform, 'terraform with MAILGRANT_TERRAFORM_OFFLINE');
const BUILD = { repository: 'projects/acme-mail-prod/locations/europe-west1/connections/gh/repositories/mail' };
const ALL = {
  access: { api: 'iam', hooks: 'public' },
  build: BUILD,
  create_topics: ['cloud-builds'],
  settle_seconds: 0,
  kms_key: 'projects/acme/locations/europe-west1/keyRings/r/cryptoKeys/k',
};

/** A mistake in the text of infra/, the rule that must see it, and the resource it must name. */
interface Planted {
  readonly name: string;
  readonly rule: keyof typeof POLICIES;
  readonly found: RegExp;
  readonly add?: string;
  readonly replace?: readonly [file: string, from: string | RegExp, to: string];
}

const accessor = (name: string, role: string, who = 'worker'): string =>
  `resource "google_project_iam_member" "${name}" {\n  project = var.project_id\n  role = "${role}"\n  member = google_service_account.this["${who}"].member\n}`;

const planted: readonly Planted[] = [
  {
    name: 'allUsers may call the worker',
    rule: 'nobody is let in whom nobody asked for',
    found: /planted_public$/,
    add: 'resource "google_cloud_run_v2_service_iam_member" "planted_public" {\n  location = var.region\n  name = "mailgrant-worker"\n  role = "roles/run.invoker"\n  member = "allUsers"\n}',
  },
  {
    name: 'a topic that every account may publish on',
    rule: 'nobody is let in whom nobody asked for',
    found: /planted_topic$/,
    add: 'resource "google_pubsub_topic_iam_member" "planted_topic" {\n  topic = google_pubsub_topic.mails.id\n  role = "roles/pubsub.publisher"\n  member = "allAuthenticatedUsers"\n}',
  },
  {
    name: 'secretAccessor on the whole project',
    rule: 'no right to read secrets on the whole project',
    found: /planted_accessor$/,
    add: accessor('planted_accessor', 'roles/secretmanager.secretAccessor'),
  },
  {
    name: 'a secret version',
    rule: 'no version of a secret, so no value in the state',
    found: /planted_version$/,
    add: 'resource "google_secret_manager_secret_version" "planted_version" {\n  secret = google_secret_manager_secret.mailbox["bulk-grant"].id\n  secret_data = "x"\n}',
  },
  {
    name: 'a key of a service account',
    rule: 'no key of a service account',
    found: /planted_key$/,
    add: 'resource "google_service_account_key" "planted_key" {\n  service_account_id = google_service_account.this["worker"].name\n}',
  },
  { name: 'roles/editor', rule: 'no primitive role', found: /planted_editor$/, add: accessor('planted_editor', 'roles/editor') },
  {
    name: 'an authoritative binding',
    rule: 'grants are added one by one, never set for all',
    found: /planted_binding$/,
    add: 'resource "google_project_iam_binding" "planted_binding" {\n  project = var.project_id\n  role = "roles/pubsub.viewer"\n  members = []\n}',
  },
  {
    name: 'token creation on the whole project',
    rule: 'tokens of an account are minted on that account alone',
    found: /planted_minter$/,
    add: accessor('planted_minter', 'roles/iam.serviceAccountTokenCreator'),
  },
  {
    name: 'a push subscription without dead letters',
    rule: 'every push has a dead letter topic',
    found: /planted_push$/,
    add: 'resource "google_pubsub_subscription" "planted_push" {\n  name = "planted"\n  topic = google_pubsub_topic.mails.id\n  expiration_policy {\n    ttl = ""\n  }\n  push_config {\n    push_endpoint = local.worker_url\n    oidc_token {\n      service_account_email = google_service_account.this["push"].email\n      audience = local.worker_url\n    }\n  }\n}',
  },
  {
    name: 'Gmail may publish on the queue of mails',
    rule: 'Gmail may publish what it reports, on a topic that nothing else reads',
    found: /planted_gmail$/,
    add: 'resource "google_pubsub_topic_iam_member" "planted_gmail" {\n  topic = google_pubsub_topic.mails.id\n  role = "roles/pubsub.publisher"\n  member = "serviceAccount:gmail-api-push@system.gserviceaccount.com"\n}',
  },
  {
    name: 'a subscription that expires',
    rule: 'no subscription expires',
    found: /subscription\.dead$/,
    replace: ['pubsub.tf', /(message_retention_duration = "2678400s"\n\s+expiration_policy \{\n\s+ttl = )""/, '$1"2678400s"'],
  },
  {
    name: 'a push without an identity',
    rule: 'every push carries an identity',
    found: /planted_bare$/,
    add: 'resource "google_pubsub_subscription" "planted_bare" {\n  name = "bare"\n  topic = google_pubsub_topic.mails.id\n  push_config {\n    push_endpoint = local.worker_url\n  }\n}',
  },
  {
    name: "a push that does not wait for the agent's grant",
    rule: 'dead letters can be moved before the first push',
    found: /subscription\.push\["mails"\]$/,
    replace: ['pubsub.tf', ', google_pubsub_topic_iam_member.dead_letter,', ','],
  },
  {
    name: 'a push whose dead letters the agent may not take away',
    rule: 'dead letters can be moved before the first push',
    found: /^google_pubsub_subscription_iam_member$/,
    replace: ['pubsub.tf', 'for_each     = google_pubsub_subscription.push\n', 'for_each     = {}\n'],
  },
  {
    name: 'all functions as one account',
    rule: 'every function has an identity of its own',
    found: /function\.this\["hooks"\]$/,
    replace: ['functions.tf', 'google_service_account.this[each.key].email', 'google_service_account.this["api"].email'],
  },
  {
    name: "functions built by Google's default account",
    rule: "no function is built by Google's default account",
    found: /planted_default$/,
    add: 'resource "google_cloudfunctions2_function" "planted_default" {\n  name = "planted-api"\n  location = var.region\n  build_config {\n    runtime = var.runtime\n    entry_point = "api"\n  }\n}',
  },
  {
    name: 'a worker that the internet reaches',
    rule: 'only api and hooks can be reached from outside',
    found: /function\.this\["worker"\]$/,
    replace: ['functions.tf', 'worker = { size = {}, ingress = "ALLOW_INTERNAL_ONLY"', 'worker = { size = {}, ingress = "ALLOW_ALL"'],
  },
  {
    name: 'a bucket that could be opened',
    rule: 'no bucket can be opened',
    found: /bucket\.content$/,
    replace: ['storage.tf', /(name +=[^\n]*-content"[\s\S]*?public_access_prevention +=) "enforced"/, '$1 "inherited"'],
  },
  {
    name: 'a right on every database',
    rule: 'rights on the ledger end at its database',
    found: /planted_ledger$/,
    add: accessor('planted_ledger', 'roles/datastore.user'),
  },
  {
    name: 'secrets that go with a destroy',
    rule: 'grants and ledger are not deleted in passing',
    found: /secret\.hook\["hook-signup"\]$/,
    replace: ['secrets.tf', /(resource "google_secret_manager_secret" "hook"[\s\S]*?deletion_protection =) true/, '$1 false'],
  },
  {
    name: 'tasks that are given up',
    rule: 'a mail that was put off is never given up',
    found: /queue\.later$/,
    replace: ['tasks.tf', /max_attempts( +)= -1/, 'max_attempts$1= 100'],
  },
  {
    name: 'dead letters for ten minutes',
    rule: 'dead letters are kept for as long as can be',
    found: /subscription\.planted_pull$/,
    add: 'resource "google_pubsub_subscription" "planted_pull" {\n  name = "pull"\n  topic = google_pubsub_topic.dead.id\n  message_retention_duration = "600s"\n}',
  },
  {
    name: 'archives under a constant name',
    rule: 'new code has a new name',
    found: /source\["api"\]$/,
    replace: ['storage.tf', /-\$\{filesha256\([^)]*\)\}\.zip/, '.zip'],
  },
  {
    name: 'functions that keep the Node they were built with',
    rule: "functions take Google's security updates",
    found: /function\.this\["api"\]$/,
    replace: ['functions.tf', /\n +automatic_update_policy \{\}[^\n]*/, ''],
  },
  {
    name: 'images that nobody removes',
    rule: 'old images go, recent ones stay',
    found: /repository\.functions$/,
    replace: [
      'storage.tf',
      /action = "DELETE"\n( +)condition \{\n +older_than = "2592000s"/,
      'action = "KEEP"\n$1condition {\n older_than = "2592000s"',
    ],
  },
  {
    name: 'an index on expireAt',
    rule: 'times that only grow are not indexed',
    found: /field\.ttl\["mails"\]$/,
    replace: ['firestore.tf', /\n +index_config \{\}[^\n]*/, ''],
  },
  {
    name: 'an API that nobody turned on',
    rule: 'every API that is used is on, and stays on',
    found: /^google_cloud_tasks$/,
    replace: ['main.tf', '"cloudtasks.googleapis.com", ', ''],
  },
  {
    name: 'a bucket before its API',
    rule: 'nothing is made before its API is on',
    found: /planted_early$/,
    add: 'resource "google_storage_bucket" "planted_early" {\n  name = "early"\n  location = var.region\n}',
  },
  {
    name: 'a schedule in another region',
    rule: 'everything is in one region',
    found: /job\.watch$/,
    replace: ['scheduler.tf', 'region           = var.region', 'region           = "us-central1"'],
  },
  {
    name: 'dead letters without the key',
    rule: 'one key for all that takes one',
    found: /topic\.dead$/,
    replace: ['pubsub.tf', /(-dead"\n) {2}kms_key_name = var\.kms_key\n/, '$1'],
  },
  {
    name: 'a pipeline with roles/iam.serviceAccountAdmin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_iam_serviceAccountAdmin$/,
    add: accessor('planted_iam_serviceAccountAdmin', 'roles/iam.serviceAccountAdmin', 'deploy'),
  },
  {
    name: 'a pipeline with roles/iam.serviceAccountUser',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_iam_serviceAccountUser$/,
    add: accessor('planted_iam_serviceAccountUser', 'roles/iam.serviceAccountUser', 'deploy'),
  },
  {
    name: 'a pipeline with roles/iam.roleAdmin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_iam_roleAdmin$/,
    add: accessor('planted_iam_roleAdmin', 'roles/iam.roleAdmin', 'deploy'),
  },
  {
    name: 'a pipeline with roles/iam.serviceAccountKeyAdmin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_iam_serviceAccountKeyAdmin$/,
    add: accessor('planted_iam_serviceAccountKeyAdmin', 'roles/iam.serviceAccountKeyAdmin', 'deploy'),
  },
  {
    name: 'a pipeline with roles/resourcemanager.projectIamAdmin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_resourcemanager_projectIamAdmin$/,
    add: accessor('planted_resourcemanager_projectIamAdmin', 'roles/resourcemanager.projectIamAdmin', 'deploy'),
  },
  {
    name: 'a pipeline with roles/pubsub.admin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_pubsub_admin$/,
    add: accessor('planted_pubsub_admin', 'roles/pubsub.admin', 'deploy'),
  },
  {
    name: 'a pipeline with roles/run.admin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_run_admin$/,
    add: accessor('planted_run_admin', 'roles/run.admin', 'deploy'),
  },
  {
    name: 'a pipeline with roles/cloudbuild.builds.editor',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_cloudbuild_builds_editor$/,
    add: accessor('planted_cloudbuild_builds_editor', 'roles/cloudbuild.builds.editor', 'deploy'),
  },
  {
    name: 'a pipeline with roles/secretmanager.admin',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_secretmanager_admin$/,
    add: accessor('planted_secretmanager_admin', 'roles/secretmanager.admin', 'deploy'),
  },
  {
    name: 'a role that nobody has judged',
    rule: 'nobody holds on the whole project what leads to more rights',
    found: /planted_unjudged$/,
    add: accessor('planted_unjudged', 'roles/composer.worker'),
  },
  {
    name: 'a custom role with secretmanager.versions.access',
    rule: 'no custom role leads to more rights, but to sign as one account',
    found: /planted_secretmanager_versions_access$/,
    add: `resource "google_project_iam_custom_role" "planted_secretmanager_versions_access" {\n  role_id = "planted_secretmanager_versions_access"\n  title = "x"\n  permissions = ["pubsub.topics.get", "secretmanager.versions.access"]\n  depends_on = [google_project_service.this]\n}`,
  },
  {
    name: 'a custom role with iam.serviceAccounts.actAs',
    rule: 'no custom role leads to more rights, but to sign as one account',
    found: /planted_iam_serviceAccounts_actAs$/,
    add: `resource "google_project_iam_custom_role" "planted_iam_serviceAccounts_actAs" {\n  role_id = "planted_iam_serviceAccounts_actAs"\n  title = "x"\n  permissions = ["pubsub.topics.get", "iam.serviceAccounts.actAs"]\n  depends_on = [google_project_service.this]\n}`,
  },
  {
    name: 'a custom role with iam.serviceAccounts.setIamPolicy',
    rule: 'no custom role leads to more rights, but to sign as one account',
    found: /planted_iam_serviceAccounts_setIamPolicy$/,
    add: `resource "google_project_iam_custom_role" "planted_iam_serviceAccounts_setIamPolicy" {\n  role_id = "planted_iam_serviceAccounts_setIamPolicy"\n  title = "x"\n  permissions = ["pubsub.topics.get", "iam.serviceAccounts.setIamPolicy"]\n  depends_on = [google_project_service.this]\n}`,
  },
  {
    name: 'a custom role with resourcemanager.projects.setIamPolicy',
    rule: 'no custom role leads to more rights, but to sign as one account',
    found: /planted_resourcemanager_projects_setIamPolicy$/,
    add: `resource "google_project_iam_custom_role" "planted_resourcemanager_projects_setIamPolicy" {\n  role_id = "planted_resourcemanager_projects_setIamPolicy"\n  title = "x"\n  permissions = ["pubsub.topics.get", "resourcemanager.projects.setIamPolicy"]\n  depends_on = [google_project_service.this]\n}`,
  },
  {
    name: 'a custom role with iam.roles.update',
    rule: 'no custom role leads to more rights, but to sign as one account',
    found: /planted_iam_roles_update$/,
    add: `resource "google_project_iam_custom_role" "planted_iam_roles_update" {\n  role_id = "planted_iam_roles_update"\n  title = "x"\n  permissions = ["pubsub.topics.get", "iam.roles.update"]\n  depends_on = [google_project_service.this]\n}`,
  },
  {
    name: 'a custom role with cloudbuild.builds.create',
    rule: 'no custom role leads to more rights, but to sign as one account',
    found: /planted_cloudbuild_builds_create$/,
    add: `resource "google_project_iam_custom_role" "planted_cloudbuild_builds_create" {\n  role_id = "planted_cloudbuild_builds_create"\n  title = "x"\n  permissions = ["pubsub.topics.get", "cloudbuild.builds.create"]\n  depends_on = [google_project_service.this]\n}`,
  },
  {
    name: 'a pipeline that acts as the delegate',
    rule: 'what the pipeline may is little, and leads to nothing but the accounts that it deploys',
    found: /planted_delegate$/,
    add: `resource "google_service_account_iam_member" "planted_delegate" {\n  service_account_id = google_service_account.this["delegate"].name\n  role = "roles/iam.serviceAccountUser"\n  member = google_service_account.this["deploy"].member\n}`,
  },
  {
    name: 'a pipeline that mints tokens of the worker',
    rule: 'what the pipeline may is little, and leads to nothing but the accounts that it deploys',
    found: /planted_token$/,
    add: `resource "google_service_account_iam_member" "planted_token" {\n  service_account_id = google_service_account.this["worker"].name\n  role = "roles/iam.serviceAccountTokenCreator"\n  member = google_service_account.this["deploy"].member\n}`,
  },
  {
    name: 'a smoke that reads a grant',
    rule: 'what the pipeline may is little, and leads to nothing but the accounts that it deploys',
    found: /planted_grant$/,
    add: `resource "google_secret_manager_secret_iam_member" "planted_grant" {\n  secret_id = google_secret_manager_secret.mailbox["bulk-grant"].id\n  role = "roles/secretmanager.secretAccessor"\n  member = google_service_account.this["smoke"].member\n}`,
  },
  {
    name: 'every bucket of the project',
    rule: 'rights on data end at our own',
    found: /planted_storage$/,
    add: accessor('planted_storage', 'roles/storage.objectViewer', 'plan'),
  },
  {
    name: 'every topic of the project',
    rule: 'rights on data end at our own',
    found: /planted_publisher$/,
    add: accessor('planted_publisher', 'roles/pubsub.publisher', 'smoke'),
  },
  {
    name: 'tests that may publish',
    rule: 'what runs code of npm may do nothing',
    found: /planted_check$/,
    add: `resource "google_pubsub_topic_iam_member" "planted_check" {\n  topic = google_pubsub_topic.mails.id\n  role = "roles/pubsub.publisher"\n  member = google_service_account.this["check"].member\n}`,
  },
  {
    name: 'an apply that waits for nobody',
    rule: 'what is applied waits for a person, and each build has an account of its own',
    found: /pipeline\["apply"\]$/,
    replace: ['build.tf', 'each.key == "apply" && var.build.approval', 'each.key == "plan" && var.build.approval'],
  },
  {
    name: 'functions that do not wait',
    rule: 'builds and triggers come a while after their grants',
    found: /function\.this\["api"\]$/,
    replace: ['functions.tf', 'google_project_service.this, terraform_data.settled, ', 'google_project_service.this, '],
  },
  {
    name: 'a wait for one grant fewer',
    rule: 'builds and triggers come a while after their grants',
    found: /^google_project_iam_member\.build_source$/,
    replace: ['main.tf', 'google_project_iam_member.build_source.id, ', ''],
  },
  {
    name: 'a trigger that does not wait',
    rule: 'builds and triggers come a while after their grants',
    found: /trigger\.documents\[0\]$/,
    replace: [
      'documents.tf',
      'terraform_data.settled, google_cloud_run_v2_service_iam_member.worker',
      'google_cloud_run_v2_service_iam_member.worker',
    ],
  },
  {
    name: 'an agent of Eventarc without its role',
    rule: "Google's agents that are made on request are given their roles",
    found: /^gcp-sa-eventarc$/,
    replace: ['documents.tf', 'roles/eventarc.serviceAgent', 'roles/eventarc.eventReceiver'],
  },
  {
    name: "nobody who mints the tokens of Eventarc's pushes",
    rule: "Google's agents that are made on request are given their roles",
    found: /^gcp-sa-pubsub$/,
    replace: [
      'documents.tf',
      'role               = "roles/iam.serviceAccountOpenIdTokenCreator"',
      'role               = "roles/iam.workloadIdentityUser"',
    ],
  },
  {
    name: 'a secret that Terraform tries to destroy',
    rule: 'grants and ledger are not deleted in passing',
    found: /secret\.mailbox\["bulk-grant"\]$/,
    replace: ['secrets.tf', 'deletion_policy     = "ABANDON"', 'deletion_policy     = "DELETE"'],
  },
  {
    name: 'a zero in the dashboard',
    rule: 'a dashboard holds no zeros, which Google leaves out',
    found: /dashboard\.this$/,
    replace: ['dashboards/mailgrant.json.tftpl', 'if value > 0', 'if value >= 0'],
  },
  {
    name: 'an alert on the largest of its counts',
    rule: 'what is counted is summed over revisions and codes',
    found: /policy\.metric\["broken"\]$/,
    replace: ['monitoring.tf', 'each.value.aligner == "ALIGN_DELTA" ? "REDUCE_SUM" : "REDUCE_MAX"', '"REDUCE_MAX"'],
  },
  {
    name: 'a deployment that waits twenty minutes for TTL',
    rule: "nothing waits for Firestore's policy of deletion",
    found: /field\.ttl\["mails"\]$/,
    replace: ['firestore.tf', /\n +skip_wait +=[^\n]*/, ''],
  },
  {
    name: "archives that vanish behind Terraform's back",
    rule: 'no bucket deletes what Terraform keeps in it',
    found: /bucket\.source$/,
    replace: ['storage.tf', /\n +matches_prefix = [^\n]*/, ''],
  },
  {
    name: 'grants that are read without a trace',
    rule: 'who reads a grant or signs as an account is recorded',
    found: /^secretmanager\.googleapis\.com$/,
    replace: ['secrets.tf', '{ "secretmanager.googleapis.com" = ["DATA_READ"], ', '{ '],
  },
];

const texts: readonly { readonly name: string; readonly text: string; readonly says: RegExp }[] = [
  {
    name: 'an undescribed variable',
    text: 'variable "x" {\n  type = string\n  default = ""\n}\noutput "y" {\n  description = "Y."\n  value = var.x\n}',
    says: /x.*description|description.*x/,
  },
  {
    name: 'an unused variable',
    text: 'variable "x" {\n  description = "X."\n  type = string\n  default = ""\n}',
    says: /x.*(unused|not used|never used)/,
  },
  { name: 'an undescribed output', text: 'output "y" {\n  value = var.region\n}', says: /y.*description|description.*y/ },
  { name: 'a wrong type', text: 'resource "google_pubsub_topic" "x" {\n  name = ["x"]\n}', says: /name/ },
  {
    name: 'a word outside the enumeration',
    text: 'resource "google_cloud_tasks_queue" "x" {\n  name = "x"\n  location = var.region\n  desired_state = "ASLEEP"\n}',
    says: /ASLEEP|desired_state/,
  },
  { name: 'a misspelt argument', text: 'resource "google_pubsub_topic" "x" {\n  name = "x"\n  kms_key = var.kms_key\n}', says: /kms_key/ },
  { name: 'a missing argument', text: 'resource "google_pubsub_subscription" "x" {\n  name = "x"\n}', says: /topic/ },
  { name: 'an unknown resource type', text: 'resource "google_mail_sender" "x" {}', says: /google_mail_sender/ },
  {
    name: 'a reference to what is not there',
    text: 'output "y" {\n  description = "Y."\n  value = google_pubsub_topic.letters.id\n}',
    says: /letters/,
  },
  { name: 'a provider that is not ours', text: 'resource "random_id" "x" {\n  byte_length = 4\n}', says: /random/ },
];
let plans: { name: string; open: string[]; plan: Plan }[];
let bad: Plan;
let said: string;
const copies: string[] = [];
test('forty mistakes and more are planted', () => assert.ok(planted.length + texts.length >= 60));

test('every rule was seen to find something', () =>
  assert.deepEqual(Object.keys(POLICIES).sort(), [...new Set(planted.map(({ rule }) => rule))].sort()));

describe('plans of infra/', { skip }, () => {
  before(async () => {
    const copy = copyOfInfra();
    copies.push(copy);
    for (const { replace } of planted) {
      if (!replace) continue;
      const [file, from, to] = replace;
      const before = readFileSync(join(copy, file), 'utf8');
      writeFileSync(join(copy, file), before.replace(from, to));
      assert.notEqual(readFileSync(join(copy, file), 'utf8'), before, `${from} is not in ${file}`);
    }
    writeFileSync(join(copy, 'planted.tf'), planted.flatMap(({ add }) => add ?? []).join('\n'));
    const [minimal, full, wrong] = await Promise.all([
      plan(fixture('minimal')),
      plan(fixture('full'), ALL),
      plan(fixture('full'), ALL, copy),
    ]);
    plans = [
      { name: 'minimal', open: [], plan: minimal },
      { name: 'full', open: ['hooks'], plan: full },
    ];
    bad = wrong;
    const misspelt = copyOfInfra();
    copies.push(misspelt);
    for (const [index, { text }] of texts.entries())
      writeFileSync(
        join(misspelt, `planted_${index}.tf`),
        text.replaceAll('"x"', `"x${index}"`).replaceAll('"y"', `"y${index}"`).replace('var.x\n', `var.x${index}\n`),
      );
    said = await staticCheck(misspelt);
  });
  after(() => {
    for (const copy of copies) rmSync(dirname(copy), { recursive: true, force: true });
  });

  for (const [rule, broken] of Object.entries(POLICIES))
    test(`in every plan: ${rule}`, () => {
      for (const { name, open, plan } of plans) assert.deepEqual(broken(plan, open), [], name);
    });

  test('what was asked to be open is seen as open', () =>
    assert.deepEqual(POLICIES['nobody is let in whom nobody asked for']?.(plans[1]?.plan as Plan, []), [
      'google_cloud_run_v2_service_iam_member.hooks["everyone"]',
    ]));

  for (const { name, rule, found } of planted)
    test(`planted: ${name}`, () => {
      const seen = POLICIES[rule]?.(bad, ['hooks']) ?? [];
      assert.ok(
        seen.some((address) => found.test(address)),
        `${rule}: ${seen.join(', ') || 'nothing was found'}`,
      );
    });

  for (const [index, { name, says }] of texts.entries())
    test(`planted: ${name}`, () => assert.match(said, new RegExp(`planted_${index}\\.tf:\\d+: .*(${says.source})`)));

  test('nothing planted: the static check finds nothing', async () => {
    assert.match(await staticCheck(INFRA), /0 problems/);
  });
});
