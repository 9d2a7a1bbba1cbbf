import type { DeployCheck } from './deploy-steps.ts';
import type { PlannedChange, Review } from './review-plan.ts';

/** Where a new or trial project may build: https://cloud.google.com/build/docs/locations. */
export const BUILD_REGIONS = ['us-central1', 'us-west2', 'europe-west1', 'asia-east1', 'australia-southeast1', 'southamerica-east1'];

const text = (one: PlannedChange, name: string): string =>
  typeof one.change.after?.[name] === 'string' ? (one.change.after[name] as string) : '';
const created = ({ all }: Review, type: string): PlannedChange[] =>
  all.filter((one) => one.type === type && one.change.actions.includes('create') && one.change.importing === undefined);

/**
 * What a plan needs and does not create itself, and only Google knows: checked before anybody is asked to consent. The plan is
 * read and not the variables, because the plan contains the final values.
 */
export const checksOfPlan = (review: Review, project: string): DeployCheck[] => [
  ...topicChecks(review, project),
  ...documentChecks(review, project),
  ...(opens(review) ? [publicCheck(project)] : []),
];

function topicChecks(review: Review, project: string): DeployCheck[] {
  const made = new Set(created(review, 'google_pubsub_topic').map((one) => `projects/${project}/topics/${text(one, 'name')}`));
  const routes = created(review, 'google_pubsub_subscription').map((one) => text(one, 'topic'));
  const builds = created(review, 'google_cloudbuild_trigger').flatMap((one) =>
    ((one.change.after?.['pubsub_config'] as { topic?: string }[] | undefined) ?? []).map(({ topic = '' }) => topic),
  );
  const wanted = new Set([...routes, ...builds].filter((topic) => topic.startsWith('projects/') && !made.has(topic)));
  return [...wanted].map((topic) => {
    const [, owner = '', name = ''] = /^projects\/([^/]+)\/topics\/(.+)$/.exec(topic) ?? [];
    const own = owner === project;
    return {
      name: `topic ${name}`,
      argv: ['gcloud', 'pubsub', 'topics', 'describe', topic, '--format=value(name)'],
      must: own, // an operator who may subscribe to another project's topic need not be allowed to read it
      well: ({ status }) => status === 0,
      fix: own
        ? `there is no topic ${name}: add it to the variables, create_topics = ["${name}"], or make it: gcloud pubsub topics create ${name} --project=${project}`
        : `ask in ${owner} whether the topic ${name} is there, and for pubsub.topics.attachSubscription on it`,
    };
  });
}

function documentChecks(review: Review, project: string): DeployCheck[] {
  return created(review, 'google_eventarc_trigger').map((one) => {
    const criteria = (one.change.after?.['matching_criteria'] as { attribute?: string; value?: string }[] | undefined) ?? [];
    const database = criteria.find(({ attribute }) => attribute === 'database')?.value ?? '(default)';
    const location = text(one, 'location');
    return {
      name: `database ${database} of documents`,
      argv: [
        'gcloud',
        'firestore',
        'databases',
        'describe',
        `--database=${database}`,
        `--project=${project}`,
        '--format=value(locationId)',
      ],
      must: true,
      well: ({ status, stdout }) => status === 0 && stdout.trim() === location,
      fix: `documents: needs the database ${database} in ${location}. If it is elsewhere (gcloud firestore databases list --project=${project}), say where: documents_location = "nam5". If it is not there: gcloud firestore databases create --database='${database}' --location=${location} --project=${project}`,
    };
  });
}

const opens = (review: Review): boolean =>
  created(review, 'google_cloud_run_v2_service_iam_member').some((one) => text(one, 'member') === 'allUsers');

/**
 * Organisations created since May 2024 refuse `allUsers` unless an administrator allowed it: iam.allowedPolicyMemberDomains is on
 * there.
 */
const publicCheck = (project: string): DeployCheck => ({
  name: 'public functions are allowed',
  argv: [
    ...['gcloud', 'resource-manager', 'org-policies', 'describe', 'iam.allowedPolicyMemberDomains', '--effective'],
    ...[`--project=${project}`, '--format=json'],
  ],
  must: false, // an operator who may deploy need not be allowed to read policies
  well: ({ status, stdout }) => status === 0 && allowsAll(stdout),
  fix: 'your organisation allows members of named customers only, so access = "public" would be refused. docs/deploy.md, "In an organisation that allows no public functions", names the ways: an exception, callers behind IAM, a load balancer.',
});

function allowsAll(json: string): boolean {
  const { listPolicy = {} } = JSON.parse(json || '{}') as {
    listPolicy?: { allValues?: string; allowedValues?: string[]; deniedValues?: string[] };
  };
  return listPolicy.allValues === 'ALLOW' || (listPolicy.allValues === undefined && !listPolicy.allowedValues && !listPolicy.deniedValues);
}

/** What a person should know before they consent and no check of Google's shows. */
export function notesOf(review: Review): string[] {
  const [region] = created(review, 'google_cloudfunctions2_function').map((one) => text(one, 'location'));
  return region === undefined || BUILD_REGIONS.includes(region)
    ? []
    : [
        `New and trial projects may build in ${BUILD_REGIONS.join(', ')} only, and not in ${region}. If Google refuses the builds, take one of those.`,
      ];
}

/** The lists of what a destroyed deployment left, where a plan creates something that outlives a destroy. */
export function leftoverLists(
  review: Review,
  project: string,
): { readonly databases: readonly string[] | null; readonly secrets: readonly string[] | null } {
  const ask = (type: string, words: readonly string[], format: string): readonly string[] | null =>
    created(review, type).length > 0 ? ['gcloud', ...words, `--project=${project}`, `--format=${format}`] : null;
  return {
    databases: ask('google_firestore_database', ['firestore', 'databases', 'list'], 'value(name,locationId)'),
    secrets: ask('google_secret_manager_secret', ['secrets', 'list'], 'value(name)'),
  };
}

/** What a plan would create and Google already has: import blocks for it, and why it cannot be imported. */
export function takeOverExisting(
  review: Review,
  project: string,
  databases: string,
  secrets: string,
): { readonly imports: string; readonly wrong: string | null } {
  const last = (name: string): string => name.split('/').at(-1) ?? '';
  const places = new Map(
    databases
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(/\s+/))
      .map(([name = '', place = '']) => [last(name), place]),
  );
  const names = new Set(secrets.split('\n').map((line) => last(line.trim())));
  const found = [
    ...created(review, 'google_firestore_database')
      .filter((one) => places.has(text(one, 'name')))
      .map((one) => ({ one, id: `projects/${project}/databases/${text(one, 'name')}` })),
    ...created(review, 'google_secret_manager_secret')
      .filter((one) => names.has(text(one, 'secret_id')))
      .map((one) => ({ one, id: `projects/${project}/secrets/${text(one, 'secret_id')}` })),
  ];
  const elsewhere = created(review, 'google_firestore_database').find((one) => {
    const place = places.get(text(one, 'name'));
    return place !== undefined && place !== text(one, 'location_id');
  });
  return {
    imports: found.map(({ one, id }) => `import {\n  to = ${one.address}\n  id = "${id}"\n}\n`).join(''),
    wrong: elsewhere
      ? `The database ${text(elsewhere, 'name')} is there already, in ${places.get(text(elsewhere, 'name'))} and not in ${text(elsewhere, 'location_id')}. A database stays where it is: set the region to that place, give another name (database = "…"), or keep it is (create_database = false).`
      : null,
  };
}
