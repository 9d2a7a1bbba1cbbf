import type { Plan } from './terraform.ts';

type Resource = Plan['resources'][number];

const EVERYONE = /^all(Authenticated)?Users$/;
const IAM = /_iam_(member|binding|policy)$/;
const PROJECT_IAM = /^google_(project|folder|organization)_iam_/;
const PRIMITIVE = /^roles\/(owner|editor|viewer)$/;
// Roles that hold secretmanager.versions.access.
const READS_SECRETS = /^roles\/secretmanager\.(secretAccessor|admin)$/;
const MINTS = /^roles\/iam\.(serviceAccountTokenCreator|serviceAccountOpenIdTokenCreator|workloadIdentityUser)$/;
// To act as every account, or to write into a custom role that one holds, is to hold every right that they have.
const TAKES_OVER = /^roles\/iam\.(serviceAccountUser|roleAdmin|organizationRoleAdmin|securityAdmin|serviceAccountKeyAdmin)$/;
const HANDS_OUT = /^roles\/(resourcemanager\.\w*[aA]dmin|iam\.securityAdmin|owner)$/;
const TAKES_KEY =
  /^google_(pubsub_topic|cloudfunctions2_function|storage_bucket|artifact_registry_repository|secret_manager_secret|firestore_database)$/;
/** Which APIs a type of resource is made and works by. */
const APIS: Readonly<Record<string, readonly string[]>> = {
  google_artifact_registry: ['artifactregistry'],
  google_billing: ['billingbudgets'],
  google_cloud_run: ['run'],
  google_cloud_scheduler: ['cloudscheduler'],
  google_cloud_tasks: ['cloudtasks'],
  google_cloudbuild: ['cloudbuild', 'containeranalysis'],
  google_cloudfunctions2: ['cloudfunctions', 'run', 'cloudbuild', 'artifactregistry', 'gmail'],
  google_eventarc: ['eventarc'],
  google_firestore: ['firestore'],
  google_logging: ['logging'],
  google_monitoring: ['monitoring'],
  google_project: ['cloudresourcemanager', 'iam'],
  google_pubsub: ['pubsub'],
  google_secret_manager: ['secretmanager'],
  google_service_account: ['iam', 'iamcredentials'],
  google_storage: ['storage'],
};
const AGENT = /@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/;

const text = (one: Resource, field: string): string => String(one.values[field] ?? '');
const blockOf = (values: Resource['values'], field: string): Readonly<Record<string, unknown>> | undefined =>
  (values[field] as Readonly<Record<string, unknown>>[] | null | undefined)?.[0];
const block = ({ values }: Resource, field: string): Readonly<Record<string, unknown>> | undefined => blockOf(values, field);
const members = (one: Resource): string[] => [text(one, 'member'), ...((one.values['members'] as string[] | undefined) ?? [])];
const of = (plan: Plan, type: RegExp): Resource[] => plan.resources.filter((one) => type.test(one.type));
const addresses = (some: readonly Resource[]): string[] => some.map(({ address }) => address);
const base = ({ address }: Resource): string => address.replace(/\[.*/, '');

/** Rules for a plan; each answers the addresses that break it. `open` names the functions that were asked to be public. */
export const POLICIES: Readonly<Record<string, (plan: Plan, open: readonly string[]) => string[]>> = {
  'nobody is let in whom nobody asked for': (plan, open) =>
    addresses(
      of(plan, IAM)
        .filter((one) => members(one).some((member) => EVERYONE.test(member)))
        .filter((one) => !(one.type === 'google_cloud_run_v2_service_iam_member' && open.includes(one.name))),
    ),
  'no right to read secrets on the whole project': (plan) =>
    addresses(of(plan, PROJECT_IAM).filter((one) => READS_SECRETS.test(text(one, 'role')))),
  'no custom role reads secrets, or acts as an account': (plan) =>
    addresses(
      of(plan, /custom_role$/).filter((one) =>
        (one.values['permissions'] as string[]).some((permission) =>
          /versions\.access|getAccessToken|signBlob|implicitDelegation|actAs/.test(permission),
        ),
      ),
    ),
  'no version of a secret, so no value in the state': (plan) => addresses(of(plan, /secret_version$/)),
  'no key of a service account': (plan) => addresses(of(plan, /^google_service_account_key$/)),
  'no primitive role': (plan) => addresses(of(plan, IAM).filter((one) => PRIMITIVE.test(text(one, 'role')))),
  'grants are added one by one, never set for all': (plan) => addresses(of(plan, /_iam_(binding|policy)$/)),
  'tokens of an account are minted on that account alone': (plan) =>
    addresses(of(plan, PROJECT_IAM).filter((one) => MINTS.test(text(one, 'role')))),
  'no account acts as every account of the project, or rewrites roles': (plan) =>
    addresses(of(plan, PROJECT_IAM).filter((one) => TAKES_OVER.test(text(one, 'role')))),
  'whoever hands out roles of the project hands out few, and none that leads to more': (plan) =>
    addresses(
      of(plan, PROJECT_IAM)
        .filter((one) => HANDS_OUT.test(text(one, 'role')))
        .filter((one) => {
          const [, list = ''] = /hasOnly\(\[([^\]]*)\]\)$/.exec(String(block(one, 'condition')?.['expression'] ?? '')) ?? [];
          const roles = list.split(',').map((role) => role.replaceAll('"', '').trim());
          return (
            list === '' ||
            roles.length > 10 ||
            roles.some((role) => !/^roles\/[\w.]+$/.test(role) || /admin|owner|editor|\.serviceAccount/i.test(role))
          );
        }),
    ),
  'every push has a dead letter topic': (plan) =>
    addresses(of(plan, /^google_pubsub_subscription$/).filter((one) => block(one, 'push_config') && !block(one, 'dead_letter_policy'))),
  'no subscription expires': (plan) =>
    addresses(of(plan, /^google_pubsub_subscription$/).filter((one) => block(one, 'expiration_policy')?.['ttl'] !== '')),
  'every push carries an identity': (plan) =>
    addresses(
      of(plan, /^google_pubsub_subscription$/).filter((one) => {
        const push = block(one, 'push_config');
        return push && !(push['oidc_token'] as { audience?: string }[] | undefined)?.[0]?.audience;
      }),
    ),
  'dead letters can be moved before the first push': (plan) => {
    const agents = of(plan, /^google_pubsub_(topic|subscription)_iam_member$/).filter((one) => AGENT.test(text(one, 'member')));
    const moved = agents.filter((one) => text(one, 'role') === 'roles/pubsub.subscriber').length;
    const pushes = of(plan, /^google_pubsub_subscription$/).filter((one) => block(one, 'dead_letter_policy'));
    const grants = [...new Set(agents.filter((one) => text(one, 'role') === 'roles/pubsub.publisher').map(base))];
    const late = pushes.filter((one) => !grants.some((grant) => plan.waits[base(one)]?.includes(grant)));
    return [...addresses(late), ...(moved < pushes.length ? ['google_pubsub_subscription_iam_member'] : [])];
  },
  'every function has an identity of its own': (plan) => {
    const functions = of(plan, /^google_cloudfunctions2_function$/);
    const account = (one: Resource): string => String(block(one, 'service_config')?.['service_account_email'] ?? '');
    return addresses(
      functions.filter((one) => account(one) === '' || functions.filter((other) => account(other) === account(one)).length > 1),
    );
  },
  "no function is built by Google's default account, or before the builder's grants": (plan) =>
    addresses(
      of(plan, /^google_cloudfunctions2_function$/).filter(
        (one) =>
          !(block(one, 'build_config')?.['service_account'] || blockOf(one.unknown, 'build_config')?.['service_account']) ||
          (plan.waits[base(one)]?.length ?? 0) < 3,
      ),
    ),
  'only api and hooks can be reached from outside': (plan) =>
    addresses(
      of(plan, /^google_cloudfunctions2_function$/).filter(
        (one) => !/-(api|hooks)$/.test(text(one, 'name')) && block(one, 'service_config')?.['ingress_settings'] !== 'ALLOW_INTERNAL_ONLY',
      ),
    ),
  'no bucket can be opened': (plan) =>
    addresses(
      of(plan, /^google_storage_bucket$/).filter(
        (one) => one.values['public_access_prevention'] !== 'enforced' || one.values['uniform_bucket_level_access'] !== true,
      ),
    ),
  'rights on the ledger end at its database': (plan) =>
    addresses(
      of(plan, PROJECT_IAM).filter(
        (one) =>
          text(one, 'role') === 'roles/datastore.user' &&
          !/databases\/[^/"]+"$/.test(String(block(one, 'condition')?.['expression'] ?? '')),
      ),
    ),
  'grants and ledger are not deleted in passing': (plan) =>
    addresses([
      ...of(plan, /^google_secret_manager_secret$/).filter(
        (one) => one.values['deletion_protection'] !== true || !one.values['version_destroy_ttl'],
      ),
      ...of(plan, /^google_firestore_database$/).filter(
        (one) => one.values['delete_protection_state'] !== 'DELETE_PROTECTION_ENABLED' || one.values['deletion_policy'] !== 'ABANDON',
      ),
    ]),
  'a mail that was put off is never given up': (plan) =>
    addresses(of(plan, /^google_cloud_tasks_queue$/).filter((one) => block(one, 'retry_config')?.['max_attempts'] !== -1)),
  'dead letters are kept for as long as can be': (plan) =>
    addresses(
      of(plan, /^google_pubsub_subscription$/).filter(
        (one) => !block(one, 'push_config') && one.values['message_retention_duration'] !== '2678400s',
      ),
    ),
  'new code has a new name': (plan) =>
    addresses(of(plan, /^google_storage_bucket_object$/).filter((one) => !/-[0-9a-f]{64}\.zip$/.test(text(one, 'name')))),
  "functions take Google's security updates": (plan) =>
    addresses(
      of(plan, /^google_cloudfunctions2_function$/).filter((one) => !blockOf(block(one, 'build_config') ?? {}, 'automatic_update_policy')),
    ),
  'old images go, recent ones stay': (plan) =>
    addresses(
      of(plan, /^google_artifact_registry_repository$/).filter((one) => {
        const actions = ((one.values['cleanup_policies'] as { action: string }[] | undefined) ?? []).map(({ action }) => action);
        return !actions.includes('KEEP') || !actions.includes('DELETE') || one.values['cleanup_policy_dry_run'] === true;
      }),
    ),
  'times that only grow are not indexed': (plan) =>
    addresses(
      of(plan, /^google_firestore_field$/).filter((one) => {
        const index = block(one, 'index_config') as { indexes?: unknown[] } | undefined;
        return !block(one, 'ttl_config') || (one.values['field'] === 'expireAt' && (!index || (index.indexes ?? []).length > 0));
      }),
    ),
  'every API that is used is on, and stays on': (plan) => {
    const apis = of(plan, /^google_project_service$/);
    const on = new Set(apis.map((one) => text(one, 'service').replace('.googleapis.com', '')));
    const missing = Object.entries(APIS).filter(
      ([type, needed]) => of(plan, new RegExp(`^${type}`)).length > 0 && needed.some((api) => !on.has(api)),
    );
    return [...missing.map(([type]) => type), ...addresses(apis.filter((one) => one.values['disable_on_destroy'] !== false))];
  },
  'nothing is made before its API is on': (plan) => {
    const after = (address: string, seen: Set<string>): boolean =>
      address === 'google_project_service.this' ||
      (!seen.has(address) &&
        [...(plan.waits[address] ?? []), ...(plan.refers[address] ?? [])].some((one) => after(one, seen.add(address))));
    return [...new Set(plan.resources.map(base))].filter(
      (address) => !/iam_member|storage_bucket_object/.test(address) && !after(address, new Set()),
    );
  },
  'everything is in one region': (plan) => {
    const place = (one: Resource): unknown =>
      one.values['location'] ??
      one.values['location_id'] ??
      one.values['region'] ??
      (JSON.stringify(one.values).match(/"location":"([^"]+)"/) ?? [])[1];
    const placed = plan.resources.filter((one) => typeof place(one) === 'string');
    const [usual] = of(plan, /^google_cloudfunctions2_function$/).map(place);
    return addresses(placed.filter((one) => String(place(one)).toLowerCase() !== usual));
  },
  'one key for all that takes one': (plan) => {
    const keyed = plan.resources.filter(({ type }) => TAKES_KEY.test(type));
    const has = (one: Resource): boolean => /"\w*kms_key\w*":"projects\//.test(JSON.stringify(one.values));
    return keyed.some(has) ? addresses(keyed.filter((one) => !has(one))) : [];
  },
};
