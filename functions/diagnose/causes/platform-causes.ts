import type { CauseRow } from './cause-row.ts';

const TERRAFORM = 'The installation of mailgrant gives each function the rights that it needs, and `npm run deploy` names what is missing.';
const AS_DEPLOYED = '`npm run deploy` of mailgrant checks this before it changes anything.';

/** Causes in what surrounds a function: who may call it, what it may use, how it is deployed; and other services' own refusals. */
export const PLATFORM_CAUSES = {
  'invoker-missing': {
    summary: 'The function or service is private, and the caller is not allowed to invoke it (or sent no identity token).',
    fix: [
      '`gcloud run services add-iam-policy-binding SERVICE --region=REGION --member=serviceAccount:CALLER --role=roles/run.invoker`',
      'Send an identity token of the caller: `Authorization: Bearer $(gcloud auth print-identity-token)`, with the URL of the service as its audience.',
    ],
    avoided: TERRAFORM,
  },
  'iam-role-missing': {
    summary: 'The account that runs lacks an IAM permission on the resource that the text names.',
    fix: [
      'Grant a role that holds the permission named in the text, on that resource alone: Pub/Sub roles/pubsub.publisher on the topic, Firestore roles/datastore.user, Cloud Tasks roles/cloudtasks.enqueuer on the queue.',
      'Find the account that really runs: `gcloud run services describe SERVICE --format="value(spec.template.spec.serviceAccountName)"`. A new grant needs a minute or two.',
    ],
    avoided: TERRAFORM,
  },
  'firestore-database-missing': {
    summary: 'The Firestore database that the program uses does not exist in this project.',
    fix: [
      '`gcloud firestore databases create --database=DATABASE --location=REGION --type=firestore-native --project={project}`',
      'Or name the database that exists: `gcloud firestore databases list --project={project}`. Datastore mode does not serve the Firestore API.',
    ],
    avoided: AS_DEPLOYED,
  },
  'firestore-index-missing': {
    summary: 'A Firestore query needs a composite index that was not made.',
    fix: ['Open the link in the error: it creates the index. It is ready after some minutes.'],
    avoided: 'mailgrant reads its ledger without composite indexes.',
  },
  'push-identity-refused': {
    summary: 'A push subscription or webhook sends an identity token that does not fit: wrong audience, or Pub/Sub may not make tokens.',
    fix: [
      'Give the subscription a push account that may invoke the service, and set its audience to the URL that the receiver expects.',
      '`gcloud projects add-iam-policy-binding {project} --member=serviceAccount:service-PROJECT_NUMBER@gcp-sa-pubsub.iam.gserviceaccount.com --role=roles/iam.serviceAccountTokenCreator --condition=None`',
    ],
    avoided: TERRAFORM,
  },
  'service-agent-missing': {
    summary: "A Google service agent (Eventarc's, Pub/Sub's, Cloud Build's) does not exist yet or lacks its role.",
    fix: [
      '`gcloud beta services identity create --service=eventarc.googleapis.com --project={project}`, then grant it roles/eventarc.serviceAgent.',
      'In a young project wait a few minutes after enabling the API, and deploy again.',
    ],
    avoided: AS_DEPLOYED,
  },
  'org-policy': {
    summary: 'An organisation policy forbids the change, such as a grant to allUsers or to a foreign domain.',
    fix: [
      'Keep the service private and let callers send identity tokens; or ask the administrator for an exception for this project.',
      '`gcloud org-policies describe iam.allowedPolicyMemberDomains --project={project} --effective` shows the policy.',
    ],
    avoided: AS_DEPLOYED,
  },
  'build-account': {
    summary: 'The build of the function runs as an account that may not read the source or write the image.',
    fix: [
      'Grant the build account roles/cloudbuild.builds.builder, or roles/logging.logWriter, roles/artifactregistry.writer and roles/storage.objectViewer.',
      'Projects made since 2024 build as the Compute Engine default account, which has no rights of its own: name a build account.',
    ],
    avoided: 'The installation of mailgrant names a build account of its own.',
  },
  'quota-project-missing': {
    summary: "A person's credentials are used without a quota project, so the API does not know which project to charge.",
    fix: [
      '`gcloud auth application-default set-quota-project {project}`',
      'Terraform: `user_project_override = true` and `billing_project` in the provider. Programs: the header `x-goog-user-project`.',
    ],
    avoided: 'The commands send the quota project with every call.',
  },
  'provider-ended-passwords': {
    summary: 'The refusal is not from Google: another provider no longer takes a password for SMTP or IMAP.',
    fix: [
      "Microsoft: SMTP AUTH is off for the mailbox or tenant, and basic authentication ends; use OAuth with Microsoft's endpoint. Yahoo, iCloud, AOL: an app password.",
      'If you meant to send through Gmail, the host setting still names the other provider.',
    ],
    avoided: 'mailgrant sends through Gmail alone.',
  },
  'other-service-answered': {
    summary: "The answer comes from Resend's own service: the SDK does not talk to your mailgrant function yet.",
    fix: [
      'Point the SDK at your function: `RESEND_BASE_URL` (Node), `resend.api_url` (Python), `base_url`/`BaseURL` (others), with a slash at the end, and use a key that begins with `mg_`.',
      'docs/use-it-from.md has the line for each SDK.',
    ],
    avoided: 'With `npm start` the URL and the key are printed.',
  },
  'library-too-old': {
    summary: 'The mail library calls the language in a way that its version no longer has.',
    fix: [
      'Python 3.12 removed `keyfile` and `certfile` from `starttls()` and `SMTP_SSL`: update the library (Django 4.2 or later, aiosmtplib 3 or later), or run Python 3.11.',
    ],
    avoided: "The functions bring their own Node; Django's backend here uses the standard library without those arguments.",
  },
} as const satisfies Record<string, CauseRow>;
