/** What Google answers for a project or a role that is moments old, and what it means. The same apply succeeds a little later. */
interface Sentence {
  readonly says: RegExp;
  readonly means: string;
}

/** Each sentence was read in a public thread or Google's documentation: docs/first-deployment.md names it. */
const SENTENCES: readonly Sentence[] = [
  { says: /has not been used in project|SERVICE_DISABLED|API .{1,80} is not enabled/i, means: 'an API was enabled moments ago' },
  {
    says: /does not have storage\.objects\.(get|list)|must grant Storage Object Viewer/i,
    means: 'the grant of the builder on the archives is moments old',
  },
  {
    says: /artifactregistry\.repositories\.(list|get)|Unable to retrieve the repository metadata/i,
    means: 'the grant on the registry of images is moments old',
  },
  { says: /Eventarc Service Agent|gcp-sa-eventarc/i, means: 'the agent of Eventarc, or its role, is moments old' },
  { says: /Service account .{1,200} does not exist|unknown service account/i, means: 'a service account is moments old' },
  { says: /Permission 'iam\.serviceAccounts\.actAs' denied/i, means: 'the right to act as a service account is moments old' },
  { says: /Service agents are being provisioned|Cloud Run Service Agent|serverless-robot-prod/i, means: 'a service agent is being made' },
];

/** Why an apply with this output would succeed in a moment; null for an unknown output. */
export const waitReason = (printed: string): string | null => SENTENCES.find(({ says }) => says.test(printed))?.means ?? null;

/** Failures of an apply that waiting does not fix, with the fix. */
const KNOWN: readonly { readonly says: RegExp; readonly fix: string }[] = [
  {
    says: /do(es)? not belong to a permitted customer|iam\.allowedPolicyMemberDomains|iam\.managed\.allowedPolicyMembers/i,
    fix: 'Your organisation allows no public functions (docs/deploy.md, "In an organisation that allows no public functions", names the ways). Or set access back to "iam" or "private".',
  },
  {
    says: /cannot run builds in this region|due to quota restrictions/i,
    fix: 'This project may not build in this region yet: choose us-central1, us-west2, europe-west1, asia-east1, australia-southeast1 or southamerica-east1, in a project without a deployment; or ask Google for quota.',
  },
  {
    says: /already exists|alreadyExists|Error 409/i,
    fix: 'It is there from before and Terraform does not know it: infra/README.md, "A project that has some of it already".',
  },
  {
    says: /cannot destroy secret manager secret/i,
    fix: 'The state is of an older version: deploy once without removing the mailbox, then remove it.',
  },
  {
    says: /Error acquiring the state lock/i,
    fix: 'Another deployment is running, or one was ended by force: wait, or terraform -chdir=infra force-unlock ID with the ID it printed.',
  },
];

export const knownFix = (printed: string): string | null => KNOWN.find(({ says }) => says.test(printed))?.fix ?? null;

/** For tests: each sentence has a source that contains it. */
export const YOUNG_SENTENCES = SENTENCES.map(({ says }) => says);
