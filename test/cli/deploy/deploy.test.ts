/** A deployment's flow, with programs on PATH that note what they are asked and answer as they are told. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Deployed, deploy } from '../../../functions/cli/deploy/deploy.ts';
import type { DeployPorts } from '../../../functions/cli/deploy/deploy-ports.ts';
import { APIS, type DeployTarget, type Made } from '../../../functions/cli/deploy/deploy-steps.ts';
import { programs } from '../../../functions/cli/deploy/program.ts';
import type { Smoked } from '../../../functions/cli/deploy/smoke-command.ts';
import { readTfvars } from '../../../functions/cli/deploy/tfvars.ts';
import { ACTS, type Answer, beginnings, CHECKS, layOut, type Programs, WELL, laid as well } from '../../support/programs/programs.ts';

const PROJECT = 'laptop';
const SENT: Smoked = { ok: true, mailbox: 'notices@example.com', id: 'id', state: 'sent', seconds: 1 };
const folders: string[] = [];
const place = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  folders.push(folder);
  return folder;
};
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
const laid = (change?: Readonly<Record<string, readonly Answer[]>>): Programs => well(place(), change);

async function run(
  fakes: Programs,
  change: Partial<DeployPorts> = {},
  target: Partial<DeployTarget> = {},
  dryRun = false,
): Promise<Deployed> {
  const path = process.env['PATH'];
  process.env['PATH'] = fakes.path;
  try {
    return await deploy(
      { project: PROJECT, bucket: 'laptop-mailgrant-state', planFile: '/nowhere/plan', documents: false, ...target },
      {
        programs,
        build: async () => [],
        say: () => {},
        confirm: async () => true,
        smoke: async () => SENT,
        wait: async () => {},
        writeImports: () => {},
        waiting: async () => [],
        ...change,
      },
      dryRun,
    );
  } finally {
    process.env['PATH'] = path;
  }
}

test('a first deployment looks, makes what a plan needs, applies that plan, and sends a mail', async () => {
  const fakes = laid();
  const asked: string[] = [];
  const confirm = async (question: string): Promise<boolean> => asked.push(question) > 0;
  const { ok, changes, applied, urls, next, stopped } = await run(fakes, { confirm });
  assert.deepEqual(
    { ok, changes, applied, urls, next, stopped },
    {
      ok: true,
      changes: { create: 2, update: 1, imported: 0, gone: ['a.replaced'], words: {} },
      applied: true,
      urls: { api: 'https://api.example' },
      next: [],
      stopped: null,
    },
  );
  assert.match(asked.join(), /2 to create, 1 to change, 1 to destroy.*a\.replaced/s);
  const wanted = [...CHECKS, ...ACTS, 'terraform -chdir=infra apply', 'terraform -chdir=infra output'];
  assert.ok(beginnings(fakes.calls(), wanted), fakes.calls().join('\n'));
  const [plan, apply] = ['plan', 'apply'].map((verb) => fakes.calls().find((call) => call.includes(`infra ${verb}`)) ?? '');
  assert.match(plan ?? '', /-out=\/nowhere\/plan .*-var project_id=laptop$/);
  assert.match(apply ?? '', / \/nowhere\/plan$/);
});

test('emails that wait and that the new config would refuse are named before the question', async () => {
  const asked: string[] = [];
  const confirm = async (question: string): Promise<boolean> => asked.push(question) < 0;
  const { applied } = await run(laid(), { confirm, waiting: async () => ['2 emails that wait of shop would be refused'] });
  assert.deepEqual(
    [applied, /\nWaiting: 2 emails that wait of shop would be refused\nApply this plan\?/.test(asked.join())],
    [false, true],
  );
});

const wrongs: readonly {
  readonly name: string;
  readonly answers: Readonly<Record<string, readonly Answer[]>>;
  readonly at: string;
  readonly fix: RegExp;
}[] = [
  { name: 'nobody is signed in', answers: { gcloud: [{ to: 'auth list' }] }, at: 'account', fix: /auth login --update-adc/ },
  {
    name: 'there are no credentials',
    answers: { gcloud: [{ to: 'auth application-default', status: 1 }] },
    at: 'credentials',
    fix: /--update-adc/,
  },
  {
    name: 'there is no such project',
    answers: { gcloud: [{ to: 'projects describe', status: 1 }] },
    at: 'project',
    fix: /projects create laptop/,
  },
  {
    name: 'the project is being deleted',
    answers: { gcloud: [{ to: 'projects describe', stdout: 'DELETE_REQUESTED' }] },
    at: 'project',
    fix: /projects create/,
  },
  {
    name: 'billing is off',
    answers: { gcloud: [{ to: 'billing projects', stdout: 'False' }] },
    at: 'billing',
    fix: /billing projects link laptop/,
  },
  {
    name: 'terraform is too old',
    answers: { terraform: [{ to: 'version', stdout: '{"terraform_version": "1.8.5"}' }] },
    at: 'terraform',
    fix: /1\.9 or newer/,
  },
];
for (const { name, answers, at, fix } of wrongs)
  test(`${name}: nothing is touched`, async () => {
    const fakes = laid(answers);
    const { ok, stopped, applied } = await run(fakes);
    assert.deepEqual([ok, applied, stopped?.at], [false, false, at]);
    assert.match(stopped?.fix ?? '', fix);
    assert.ok(
      fakes.calls().every((call) => CHECKS.some((one) => call.startsWith(one))),
      fakes.calls().join('\n'),
    );
  });

test('where a program is missing, what hangs on it is not asked', async () => {
  const fakes = layOut(place(), { terraform: WELL['terraform'] ?? [] });
  const { stopped, checks } = await run(fakes);
  assert.equal(stopped?.at, 'gcloud');
  assert.deepEqual(
    checks.map(({ name, ok }) => [name, ok]),
    [
      ['gcloud', false],
      ['account', null],
      ['credentials', null],
      ['project', null],
      ['billing', null],
      ['terraform', true],
    ],
  );
  assert.deepEqual(fakes.calls(), ['terraform version -json']);
});

test('billing that may not be looked at stops nobody', async () => {
  const { ok, checks } = await run(laid({ gcloud: [{ to: 'billing projects', status: 1 }] }));
  assert.deepEqual([ok, checks.find(({ name }) => name === 'billing')?.ok], [true, null]);
});

const stops: readonly {
  readonly name: string;
  readonly answers?: Readonly<Record<string, readonly Answer[]>>;
  readonly yard?: Partial<DeployPorts>;
  readonly at: RegExp;
  readonly last: string;
  readonly applied?: true;
}[] = [
  {
    name: 'an API cannot be enabled',
    answers: { gcloud: [{ to: 'services enable', status: 1 }] },
    at: /services enable/,
    last: 'gcloud services enable',
  },
  {
    name: "the bucket's name is taken",
    answers: { gcloud: [{ to: 'storage buckets create', status: 1 }] },
    at: /buckets create/,
    last: 'gcloud storage buckets create',
  },
  {
    name: 'the provider cannot be fetched',
    answers: { terraform: [{ to: '-chdir=infra init', status: 1 }] },
    at: /infra init/,
    last: 'terraform -chdir=infra init',
  },
  {
    name: 'the plan fails',
    answers: { terraform: [{ to: '-chdir=infra plan', status: 1 }] },
    at: /infra plan/,
    last: 'terraform -chdir=infra plan',
  },
  { name: 'the person says no', yard: { confirm: async () => false }, at: /^the question$/, last: 'terraform -chdir=infra show' },
  {
    name: 'the apply fails',
    answers: { terraform: [{ to: '-chdir=infra apply', status: 1 }] },
    at: /infra apply/,
    last: 'terraform -chdir=infra apply',
  },
  {
    name: 'the mail at the end is not sent',
    yard: { smoke: async () => ({ ...SENT, ok: false, state: 'failed', code: 'grant_revoked', fix: 'consent again' }) },
    at: /^the email to oneself$/,
    last: 'terraform -chdir=infra output',
    applied: true,
  },
];
for (const { name, answers, yard, at, last, applied = false } of stops)
  test(`${name}: it stops there and says so`, async () => {
    const fakes = laid(answers);
    const done = await run(fakes, yard);
    assert.deepEqual([done.ok, done.applied], [false, applied]);
    assert.match(done.stopped?.at ?? '', at);
    assert.ok((done.stopped?.fix ?? '').length > 10);
    assert.ok(fakes.calls().at(-1)?.startsWith(last), fakes.calls().join('\n'));
  });

test('a bucket that is there is not made, a plan without changes is not applied', async () => {
  const fakes = laid({ gcloud: [{ to: 'storage buckets describe' }], terraform: [{ to: '-chdir=infra plan' }] });
  const { ok, applied } = await run(fakes, { confirm: () => Promise.reject(new Error('nobody is asked')) });
  assert.deepEqual([ok, applied, fakes.calls().filter((call) => /create gs:|infra (apply|show)/.test(call))], [true, false, []]);
});

test('before anybody has consented the next steps are told, and it is no failure', async () => {
  const smoke = async (): Promise<Smoked> => ({ ...SENT, ok: false, state: 'failed', code: 'grant_missing', fix: 'authorize' });
  const { ok, next, stopped } = await run(laid(), { smoke });
  assert.deepEqual([ok, next, stopped], [true, ['authorize it'], null]);
});

test('the email at the end goes through what was made', async () => {
  const values = { urls: { api: 'https://api.example' }, mails_topic: 'projects/laptop/topics/post-mails', database: '(default)' };
  const stdout = JSON.stringify(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])));
  const seen: unknown[] = [];
  const smoke = async ({ topic, database }: Made): Promise<Smoked> => ({ ...SENT, id: String(seen.push(topic, database)) });
  await run(laid({ terraform: [{ to: '-chdir=infra output', stdout }] }), { smoke });
  assert.deepEqual(seen, ['projects/laptop/topics/post-mails', '(default)']);
});

test('what terraform.tfvars says names the state and its place, and is not said again', async () => {
  const text =
    '# ours\nregion      = "us-central1" # near\nname_prefix = "post"\nfunctions = {\n  api = {\n    name_prefix = "x"\n  }\n}\n';
  assert.deepEqual(
    [readTfvars(text), readTfvars('region = var.x\nname_prefix = lower("X")\n')],
    [{ region: 'us-central1', prefix: 'post', names: ['region', 'name_prefix', 'functions'] }, { names: ['region', 'name_prefix'] }],
  );
  const fakes = laid();
  await run(fakes, {}, { said: readTfvars(text) });
  const calls = fakes.calls().join('\n');
  assert.match(calls, /buckets create gs:.*--location=us-central1/);
  assert.match(calls, /-backend-config=prefix=post\n/);
  assert.doesNotMatch(calls, /-var (region|name_prefix)/);
});

test('documents need Eventarc and its agent; names that differ are passed on', async () => {
  const fakes = laid();
  await run(fakes, {}, { documents: true, region: 'europe-west4', prefix: 'post', configFile: '/etc/mail.yaml', bucket: 'b' });
  const calls = fakes.calls().join('\n');
  assert.match(calls, /services enable .*eventarc\.googleapis\.com/);
  assert.match(calls, /identity create --service=eventarc\.googleapis\.com/);
  assert.match(calls, /buckets create gs:\/\/b .*--location=europe-west4/);
  assert.match(calls, /-backend-config=bucket=b -backend-config=prefix=post/);
  assert.match(calls, /-var region=europe-west4 -var name_prefix=post -var config_file=\/etc\/mail\.yaml/);
});

// ---- a young project

/** What public threads quote of first applies; docs/first-deployment.md names them. */
const YOUNG: readonly string[] = [
  'Error 403: Cloud Functions API has not been used in project 123456789012 before or it is disabled.',
  'Access to bucket gcf-v2-sources-123456789012-europe-west1 denied. You must grant Storage Object Viewer permission to mailgrant-build@x.iam.gserviceaccount.com.',
  'mailgrant-build@x.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object.',
  'Unable to retrieve the repository metadata for projects/x/locations/europe-west1/repositories/mailgrant-functions. Ensure that the Cloud Functions service account has "artifactregistry.repositories.list" and "artifactregistry.repositories.get" permissions.',
  'Permission denied while using the Eventarc Service Agent. If you recently started to use Eventarc, it may take a few minutes before all necessary permissions are propagated to the Service Agent.',
  'Error 400: Service account mailgrant-worker@x.iam.gserviceaccount.com does not exist., badRequest',
];
const BEGUN = JSON.stringify({
  resource_changes: [
    { address: 'a.new', change: { actions: ['delete', 'create'] }, action_reason: 'replace_because_tainted' },
    { address: 'a.same', change: { actions: ['no-op'] } },
  ],
});
const WIDER = JSON.stringify({ resource_changes: [{ address: 'a.other', change: { actions: ['delete'] } }] });
const rows = (sentence: string, times: number, later = BEGUN): Readonly<Record<string, readonly Answer[]>> => ({
  terraform: [
    { to: '-chdir=infra apply', status: 1, stdout: sentence, times },
    { to: '-chdir=infra show', stdout: WELL['terraform']?.find(({ to }) => to.endsWith('show'))?.stdout ?? '', times: 1 },
    { to: '-chdir=infra show', stdout: later },
  ],
});

/** Runs a deployment and notes what is said, asked and waited for. */
async function watched(answers: Readonly<Record<string, readonly Answer[]>>, consent: (nth: number) => boolean = () => true) {
  const [said, asked, waited]: [string[], string[], number[]] = [[], [], []];
  const fakes = laid(answers);
  const done = await run(fakes, {
    say: (line) => said.push(line),
    confirm: async (question) => consent(asked.push(question)),
    wait: async (ms) => void waited.push(ms),
  });
  const applies = fakes.calls().filter((call) => call.includes('infra apply')).length;
  return { done, said: said.join('\n'), asked, waited, applies };
}

for (const sentence of YOUNG)
  test(`a young project: after "${sentence.slice(0, 60)}…" it plans anew and goes on, under the same consent`, async () => {
    const { done, said, asked, waited, applies } = await watched(rows(sentence, 1));
    assert.deepEqual([done.ok, done.applied, asked.length, waited, applies], [true, true, 1, [90_000], 2]);
    assert.match(said, /usual in a young project/);
    assert.match(
      said,
      /destroys a\.new: was begun and did not finish[^\n]*nothing that worked is lost\n[\s\S]*rest of what you consented to/,
    );
  });

test('a young project: it goes on twice, and then stops with the fix', async () => {
  const { done, waited, applies } = await watched(rows(YOUNG[0] ?? '', 9));
  assert.deepEqual([done.ok, done.applied, waited.length, applies], [false, false, 2, 3]);
  assert.match(done.stopped?.at ?? '', /infra apply/);
});

test('a young project: a rest that does more than was consented to is asked for anew', async () => {
  const { done, asked } = await watched(rows(YOUNG[0] ?? '', 1, WIDER), (nth) => nth === 1);
  assert.deepEqual([done.applied, asked.length, done.stopped?.at], [false, 2, 'the question']);
});

test('a plan that fails by such a sentence is made anew as well', async () => {
  const { done, waited } = await watched({ terraform: [{ to: '-chdir=infra plan', status: 1, stdout: YOUNG[0] ?? '', times: 1 }] });
  assert.deepEqual([done.ok, waited.length], [true, 1]);
});

const lasting: readonly { readonly says: string; readonly fix: RegExp }[] = [
  { says: 'Error 400: One or more users named in the policy do not belong to a permitted customer.', fix: /allows no public functions/ },
  { says: 'generic::failed_precondition: due to quota restrictions, cannot run builds in this region.', fix: /europe-west1/ },
  { says: 'Error 409: Requested entity already exists', fix: /has some of it already/ },
  { says: 'Error: Error acquiring the state lock', fix: /force-unlock/ },
  { says: 'Error 400: The request was invalid', fix: /run the same command again/ },
];
for (const { says, fix } of lasting)
  test(`"${says.slice(0, 50)}" is not waited for`, async () => {
    const { done, waited } = await watched(rows(says, 9));
    assert.deepEqual([done.ok, waited], [false, []]);
    assert.match(done.stopped?.fix ?? '', fix);
  });

// ---- what the plan leans on

const PLANS = {
  topic: [
    {
      address: 'google_pubsub_subscription.push["route/x"]',
      type: 'google_pubsub_subscription',
      change: { actions: ['create'], after: { topic: 'projects/laptop/topics/cloud-builds' } },
    },
  ],
  secret: [
    {
      address: 'google_secret_manager_secret.mailbox["s"]',
      type: 'google_secret_manager_secret',
      change: { actions: ['create'], after: { secret_id: 's' } },
    },
  ],
  region: [
    {
      address: 'google_secret_manager_secret.mailbox["s"]',
      type: 'google_secret_manager_secret',
      change: { actions: ['delete', 'create'], after: { secret_id: 's' } },
    },
  ],
};
const planOf = (changes: readonly object[]): Readonly<Record<string, readonly Answer[]>> => ({
  terraform: [{ to: '-chdir=infra show', stdout: JSON.stringify({ resource_changes: changes }) }],
});

test('a topic that is not there stops before the question', async () => {
  const { done, asked, applies } = await watched({ ...planOf(PLANS.topic), gcloud: [{ to: 'pubsub topics describe', status: 1 }] });
  assert.deepEqual([done.ok, done.stopped?.at, asked.length, applies], [false, 'topic cloud-builds', 0, 0]);
});

test('a plan that would make secrets or ledger anew is not even offered', async () => {
  const { done, asked } = await watched(planOf(PLANS.region));
  assert.deepEqual([done.ok, done.stopped?.at, asked.length], [false, 'the plan', 0]);
});

test('what an earlier deployment left is taken over: import blocks lie there while it plans, and go', async () => {
  const written: string[] = [];
  const fakes = laid({ ...planOf(PLANS.secret), gcloud: [{ to: 'secrets list', stdout: 's\n' }] });
  const { ok } = await run(fakes, { writeImports: (blocks) => written.push(`${blocks}${fakes.calls().length}`) });
  const [before, after] = written.map((one) => Number(/\d+$/.exec(one)?.[0]));
  assert.equal(ok, true);
  assert.match(
    written[0] ?? '',
    /^import \{\n {2}to = google_secret_manager_secret\.mailbox\["s"\]\n {2}id = "projects\/laptop\/secrets\/s"\n\}/,
  );
  assert.match(written[1] ?? '', /^\d+$/);
  assert.deepEqual(
    fakes
      .calls()
      .slice(before, after)
      .map((call) => /infra (\w+)/.exec(call)?.[1]),
    ['plan', 'show'],
  );
});

test('every API that infra/ enables is enabled before the first plan', () => {
  const infra = readFileSync('infra/main.tf', 'utf8');
  const [, listed = ''] = /apis = toset\(concat\(([\s\S]*?)\n {2}\)\)/.exec(infra) ?? [];
  const names = [...listed.matchAll(/"(\w+)\.googleapis\.com"/g)].map(([, name]) => name);
  assert.ok(names.length > 15);
  assert.deepEqual(
    [...new Set(names)].sort(),
    Object.values(APIS)
      .flat()
      .filter((api) => api !== 'serviceusage')
      .sort(),
  );
});

test('an environment has its variables and a state of its own', async () => {
  const fakes = laid();
  await run(fakes, {}, { env: 'staging', configFile: '/dist/mailgrant.yaml' });
  const calls = fakes.calls().join('\n');
  assert.match(calls, /-backend-config=prefix=mailgrant\/staging\n/);
  assert.match(calls, /infra plan .*-var-file=env\/staging\.tfvars -var project_id=laptop -var config_file=\/dist\/mailgrant\.yaml/);
});
