import type { CauseRow } from './cause-row.ts';

const TERRAFORM = 'The installation of mailgrant enables the APIs that it needs, and gives each function only the rights that it needs.';

/** Causes in the Google Cloud project: APIs, Secret Manager, IAM. */
export const CLOUD_CAUSES = {
  'api-not-enabled': {
    summary: 'The Google API is not enabled in the project that the credentials belong to.',
    fix: [
      '`gcloud services enable {api} --project={project}`, or https://console.cloud.google.com/apis/library/{api}?project={project}',
      'The project is that of the OAuth client or service account, which may differ from the one that the console shows. Enabling takes up to five minutes; try once a minute until then.',
    ],
    avoided: TERRAFORM,
  },
  'secret-access-denied': {
    summary: 'The account that runs may not read the secret in Secret Manager (or the secret does not exist).',
    fix: [
      "Find the account that really runs: `gcloud run services describe SERVICE --format='value(spec.template.spec.serviceAccountName)'`",
      '`gcloud secrets add-iam-policy-binding {secret} --project={project} --member=serviceAccount:RUNTIME_ACCOUNT --role=roles/secretmanager.secretAccessor`',
      '`gcloud secrets describe {secret} --project={project}` shows whether it exists; roles/secretmanager.viewer does not reveal values.',
    ],
    avoided: TERRAFORM,
  },
  'secret-version-unusable': {
    summary: 'The secret has no readable version: missing, disabled or destroyed.',
    fix: [
      '`gcloud secrets versions list {secret} --project={project}`; enable the newest, or add one: `latest` is the highest number, even if disabled.',
      'A destroyed version is gone: `npx mailgrant authorize ADDRESS` writes a new one.',
    ],
    avoided: '`npx mailgrant authorize` writes the version; the scheduled check of mailgrant tests that it can be read.',
  },
  'signing-not-allowed': {
    summary: 'The account that runs may not sign as the service account that holds the delegation.',
    fix: [
      '`gcloud iam service-accounts add-iam-policy-binding TARGET --member=serviceAccount:RUNTIME_ACCOUNT --role=roles/iam.serviceAccountTokenCreator`; wait two minutes.',
    ],
    avoided: TERRAFORM,
  },
  'service-account-not-found': {
    summary: 'The service account that is named does not exist.',
    fix: ['`gcloud iam service-accounts list --project={project}` and compare the text exactly.'],
    avoided: TERRAFORM,
  },
  'key-creation-blocked': {
    summary: 'An organisation policy forbids service-account keys.',
    fix: ['Do without a key (`grant: delegation`); or have the policy iam.disableServiceAccountKeyCreation relaxed for the project.'],
    avoided: 'mailgrant needs no key.',
  },
  'cloud-credentials-missing': {
    summary: 'The program has no Google Cloud identity of its own (Application Default Credentials), or one without the scopes.',
    fix: [
      'On a laptop: `gcloud auth login --update-adc`; on Google Cloud attach a service account. Neither gives access to a mailbox: that takes an OAuth consent or domain-wide delegation.',
    ],
    avoided: 'The functions of mailgrant run as their own service accounts; the permission to send comes from Secret Manager.',
  },
  'quota-project-denied': {
    summary: 'A quota project is set that the caller may not use.',
    fix: ['Remove quota_project_id or GOOGLE_CLOUD_QUOTA_PROJECT, or grant roles/serviceusage.serviceUsageConsumer.'],
    avoided: 'mailgrant sets no quota project.',
  },
  'cloud-quota': {
    summary: 'A Google Cloud API is called too often.',
    fix: ['Back off, and keep the secret in memory for some minutes.'],
    avoided: 'The secret text is kept for a bounded time.',
  },
} as const satisfies Record<string, CauseRow>;
