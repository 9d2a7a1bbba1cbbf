/**
 * What of a role leads to more rights than it names: setting a policy, acting as an account or holding its tokens and keys, writing roles,
 * running builds, reading secrets. Every role that infra/ grants is here, an empty list included: a role that is not is not judged, and so refused.
 * By Google's reference of predefined roles (https://cloud.google.com/iam/docs/roles-permissions), written down by hand and not fetched.
 */
export const LEADS_TO_MORE: Readonly<Record<string, readonly string[]>> = {
  'roles/artifactregistry.admin': ['artifactregistry.repositories.setIamPolicy'],
  'roles/artifactregistry.writer': [],
  'roles/cloudbuild.builds.builder': ['cloudbuild.builds.create'],
  'roles/cloudbuild.builds.editor': ['cloudbuild.builds.create'],
  'roles/cloudfunctions.admin': ['cloudfunctions.functions.setIamPolicy'],
  'roles/cloudfunctions.developer': [],
  'roles/cloudscheduler.admin': [],
  'roles/cloudtasks.admin': ['cloudtasks.queues.setIamPolicy'],
  'roles/cloudtasks.queueAdmin': ['cloudtasks.queues.setIamPolicy'],
  'roles/datastore.owner': [],
  'roles/datastore.user': [],
  'roles/datastore.viewer': [],
  'roles/editor': ['iam.serviceAccounts.actAs', 'cloudbuild.builds.create', 'deploymentmanager.deployments.create'],
  'roles/eventarc.admin': ['eventarc.triggers.setIamPolicy'],
  'roles/eventarc.eventReceiver': [],
  'roles/iam.roleAdmin': ['iam.roles.create', 'iam.roles.update'],
  'roles/iam.roleViewer': [],
  'roles/iam.securityAdmin': ['resourcemanager.projects.setIamPolicy', 'iam.serviceAccounts.setIamPolicy'],
  'roles/iam.serviceAccountAdmin': ['iam.serviceAccounts.setIamPolicy'],
  'roles/iam.serviceAccountKeyAdmin': ['iam.serviceAccountKeys.create'],
  'roles/iam.serviceAccountOpenIdTokenCreator': ['iam.serviceAccounts.getOpenIdToken'],
  'roles/iam.serviceAccountTokenCreator': [
    ...['iam.serviceAccounts.getAccessToken', 'iam.serviceAccounts.getOpenIdToken', 'iam.serviceAccounts.implicitDelegation'],
    ...['iam.serviceAccounts.signBlob', 'iam.serviceAccounts.signJwt'],
  ],
  'roles/iam.serviceAccountUser': ['iam.serviceAccounts.actAs'],
  'roles/iam.workloadIdentityUser': ['iam.serviceAccounts.getAccessToken', 'iam.serviceAccounts.getOpenIdToken'],
  'roles/logging.configWriter': [],
  'roles/logging.logWriter': [],
  'roles/monitoring.editor': [],
  'roles/owner': ['resourcemanager.projects.setIamPolicy', 'iam.serviceAccounts.actAs'],
  'roles/pubsub.admin': ['pubsub.topics.setIamPolicy', 'pubsub.subscriptions.setIamPolicy'],
  'roles/pubsub.publisher': [],
  'roles/pubsub.subscriber': [],
  'roles/resourcemanager.projectIamAdmin': ['resourcemanager.projects.setIamPolicy'],
  'roles/run.admin': ['run.services.setIamPolicy'],
  'roles/run.developer': [],
  'roles/run.invoker': [],
  'roles/secretmanager.admin': ['secretmanager.versions.access', 'secretmanager.secrets.setIamPolicy'],
  'roles/secretmanager.secretAccessor': ['secretmanager.versions.access'],
  'roles/secretmanager.secretVersionAdder': [],
  'roles/serviceusage.serviceUsageAdmin': [],
  'roles/storage.admin': ['storage.buckets.setIamPolicy', 'storage.objects.setIamPolicy'],
  'roles/storage.objectAdmin': ['storage.objects.setIamPolicy'],
  'roles/storage.objectCreator': [],
  'roles/storage.objectUser': [],
  'roles/storage.objectViewer': [],
  'roles/viewer': [],
};

/** A permission of a custom role that leads to more rights. */
export const ESCALATES =
  /setIamPolicy$|\.(actAs|getAccessToken|getOpenIdToken|signBlob|signJwt|implicitDelegation)$|^iam\.roles\.(create|update|delete|undelete)$|^iam\.serviceAccountKeys\.create$|^iam\.serviceAccounts\.(create|enable|undelete)$|^cloudbuild\.builds\.create$|^deploymentmanager\.|^secretmanager\.versions\.(access|add)$|^resourcemanager\.projects\.(createPolicyBinding|updatePolicyBinding)$|^serviceusage\.services\.enable$/;

/** A permission on other people's data, where it is held on the whole project. */
export const READS_OR_WRITES_DATA =
  /^datastore\.entities\.|^storage\.objects\.|^pubsub\.(topics\.publish|subscriptions\.consume|snapshots\.)|^cloudtasks\.tasks\.|^logging\.(privateL|l)ogEntries\.|^secretmanager\.versions\.access$|^run\.routes\.invoke$/;

/** Predefined roles that hold such permissions. */
export const DATA_ROLES =
  /^roles\/(storage\.(admin|object\w+)|datastore\.(owner|user|viewer)|pubsub\.(admin|editor|publisher|subscriber)|cloudtasks\.admin|run\.invoker|logging\.(viewer|privateLogViewer))$/;
