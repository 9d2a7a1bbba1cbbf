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

const accessor = (name: string, role: string): string =>
  `resource "google_project_iam_member" "${name}" {\n  project = var.project_id\n  role = "${role}"\n  member = google_service_account.this["worker"].member\n}`;

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
    name: 'a custom role that reads secrets',
    rule: 'no custom role reads secrets, or acts as an account',
    found: /secret_keeper\[0\]$/,
    replace: ['build.tf', '"secretmanager.versions.get"', '"secretmanager.versions.access"'],
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
    name: 'a pipeline that acts as every account',
    rule: 'no account acts as every account of the project, or rewrites roles',
    found: /deploy\["roles\/iam\.serviceAccountUser"\]$/,
    replace: ['build.tf', '"roles/iam.roleViewer"', '"roles/iam.roleViewer", "roles/iam.serviceAccountUser"'],
  },
  {
    name: 'a pipeline that may give itself any right',
    rule: 'whoever hands out roles of the project hands out few, and none that leads to more',
    found: /deploy_grants\[0\]$/,
    replace: ['build.tf', 'granted_roles = [', 'granted_roles = ["roles/resourcemanager.projectIamAdmin", '],
  },
  {
    name: 'a push subscription without dead letters',
    rule: 'every push has a dead letter topic',
    found: /planted_push$/,
    add: 'resource "google_pubsub_subscription" "planted_push" {\n  name = "planted"\n  topic = google_pubsub_topic.mails.id\n  expiration_policy {\n    ttl = ""\n  }\n  push_config {\n    push_endpoint = local.worker_url\n    oidc_token {\n      service_account_email = google_service_account.this["push"].email\n      audience = local.worker_url\n    }\n  }\n}',
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
    name: 'functions that do not wait for the builder',
    rule: "no function is built by Google's default account, or before the builder's grants",
    found: /function\.this\["api"\]$/,
    replace: ['functions.tf', 'google_project_iam_member.build_logs, google_project_iam_member.build_source,', ''],
  },
  {
    name: "functions built by Google's default account",
    rule: "no function is built by Google's default account, or before the builder's grants",
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
