import { DATA_ROLES, ESCALATES, LEADS_TO_MORE, READS_OR_WRITES_DATA } from './role-permissions.ts';
import type { Plan } from './terraform.ts';

type Resource = Plan['resources'][number];

const EVERYONE = /^all(Authenticated)?Users$/;
const IAM = /_iam_(member|binding|policy)$/;
const PROJECT_IAM = /^google_(project|folder|organization)_iam_(member|binding|policy)$/;
const PRIMITIVE = /^roles\/(owner|editor|viewer)$/;
// Roles that hold secretmanager.versions.access.
const READS_SECRETS = /^roles\/secretmanager\.(secretAccessor|admin)$/;
const MINTS = /^roles\/iam\.(serviceAccountTokenCreator|serviceAccountOpenIdTokenCreator|workloadIdentityUser)$/;
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
/** Google's own agents: what they hold, Google holds anyway. */
const GOOGLES = /@gcp-sa-[a-z]+\.iam\.gserviceaccount\.com$/;
const PIPELINE = /-(check|plan|deploy|smoke)@/;
const AGENT = /@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/;

const text = (one: Resource, field: string): string => String(one.values[field] ?? '');
const blockOf = (values: Resource['values'], field: string): Readonly<Record<string, unknown>> | undefined =>
  (values[field] as Readonly<Record<string, unknown>>[] | null | undefined)?.[0];
const block = ({ values }: Resource, field: string): Readonly<Record<string, unknown>> | undefined => blockOf(values, field);
const members = (one: Resource): string[] => [text(one, 'member'), ...((one.values['members'] as string[] | undefined) ?? [])];
const of = (plan: Plan, type: RegExp): Resource[] => plan.resources.filter((one) => type.test(one.type));
const addresses = (some: readonly Resource[]): string[] => some.map(({ address }) => address);
const base = ({ address }: Resource): string => address.replace(/\[.*/, '');

const permissions = (one: Resource): string[] => (one.values['permissions'] as string[] | undefined) ?? [];
/** The custom role of a grant: its id is known before an apply. */
const customRole = (plan: Plan, one: Resource): Resource | undefined => {
  const id = /\/roles\/(\w+)$/.exec(text(one, 'role'))?.[1];
  const named = of(plan, /custom_role$/).find((role) => text(role, 'role_id') === id);
  const index = /\["(\w+)"\]$/.exec(one.address)?.[1] ?? '';
  return (
    named ??
    (text(one, 'role') === ''
      ? of(plan, /custom_role$/).find((role) => plan.refers[base(one)]?.includes(base(role)) && role.address.includes(index))
      : undefined)
  );
};
/** What of a grant leads to more rights; a role that nobody has judged leads to everything. */
function leads(plan: Plan, one: Resource): readonly string[] {
  const custom = customRole(plan, one);
  if (custom) return permissions(custom).filter((permission) => ESCALATES.test(permission));
  return LEADS_TO_MORE[text(one, 'role')] ?? [`${text(one, 'role') || 'a role'} is not judged`];
}

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
  'no version of a secret, so no value in the state': (plan) => addresses(of(plan, /secret_version$/)),
  'no key of a service account': (plan) => addresses(of(plan, /^google_service_account_key$/)),
  'no primitive role': (plan) => addresses(of(plan, IAM).filter((one) => PRIMITIVE.test(text(one, 'role')))),
  'grants are added one by one, never set for all': (plan) => addresses(of(plan, /_iam_(binding|policy)$/)),
  'tokens of an account are minted on that account alone': (plan) =>
    addresses(of(plan, PROJECT_IAM).filter((one) => MINTS.test(text(one, 'role')))),
  'nobody holds on the whole project what leads to more rights': (plan) =>
    addresses(of(plan, PROJECT_IAM).filter((one) => !GOOGLES.test(text(one, 'member')) && leads(plan, one).length > 0)),
  'no custom role leads to more rights, but to sign as one account': (plan) =>
    addresses(
      of(plan, /custom_role$/).filter((one) => {
        const found = permissions(one).filter((permission) => ESCALATES.test(permission));
        return (
          found.some((permission) => permission !== 'iam.serviceAccounts.signJwt') || (found.length > 0 && permissions(one).length > 1)
        );
      }),
    ),
  'what the pipeline may is little, and leads to nothing but the accounts that it deploys': (plan) =>
    addresses(
      of(plan, IAM).filter((one) => {
        if (!PIPELINE.test(text(one, 'member'))) return false;
        const found = leads(plan, one);
        const acts = /^google_service_account_iam_member\.deploy_acts_as\["(api|worker|hooks|watch|push|schedule|build|events)"\]$/.test(
          one.address,
        );
        return found.length > 0 && !(acts && found.every((permission) => permission === 'iam.serviceAccounts.actAs'));
      }),
    ),
  'rights on data end at our own': (plan) =>
    addresses(
      of(plan, PROJECT_IAM).filter((one) => {
        const custom = customRole(plan, one);
        const data = custom
          ? permissions(custom).some((permission) => READS_OR_WRITES_DATA.test(permission))
          : DATA_ROLES.test(text(one, 'role'));
        return data && !block(one, 'condition');
      }),
    ),
  'what runs code of npm may do nothing': (plan) =>
    addresses(
      of(plan, IAM).filter(
        (one) =>
          /-check@/.test(text(one, 'member')) &&
          text(one, 'role') !== 'roles/logging.logWriter' &&
          !(
            text(one, 'role') === 'roles/storage.objectCreator' &&
            /objects\/builds\//.test(String(block(one, 'condition')?.['expression'] ?? ''))
          ),
      ),
    ),
  'what is applied waits for a person, and each build has an account of its own': (plan) => {
    const triggers = of(plan, /^google_cloudbuild_trigger$/);
    const account = (one: Resource): string => text(one, 'service_account') || text(one, 'name');
    return addresses(
      triggers.filter(
        (one) =>
          (/-apply$/.test(text(one, 'name')) && block(one, 'approval_config')?.['approval_required'] !== true) ||
          triggers.filter((other) => account(other) === account(one)).length > 1,
      ),
    );
  },
  'builds and triggers come a while after their grants': (plan) => {
    const wait = 'terraform_data.settled';
    const waited = plan.refers[wait] ?? [];
    const late = of(plan, /^google_(cloudfunctions2_function|eventarc_trigger)$/).filter((one) => !plan.waits[base(one)]?.includes(wait));
    const before = [
      'google_project_iam_member.build_logs',
      'google_project_iam_member.build_source',
      'google_artifact_registry_repository_iam_member.build_images',
    ];
    const documents =
      of(plan, /^google_eventarc_trigger$/).length > 0
        ? ['google_project_iam_member.eventarc_agent', 'google_service_account_iam_member.events_token']
        : [];
    return [...addresses(late), ...[...before, ...documents].filter((grant) => !waited.includes(grant))];
  },
  "Google's agents that are made on request are given their roles": (plan) => {
    if (of(plan, /^google_eventarc_trigger$/).length === 0) return [];
    const holds = (agent: RegExp, role: string, account: RegExp): boolean =>
      of(plan, IAM).some((one) => agent.test(text(one, 'member')) && text(one, 'role') === role && account.test(JSON.stringify(one)));
    return [
      ...(holds(/@gcp-sa-eventarc\./, 'roles/eventarc.serviceAgent', /./) ? [] : ['gcp-sa-eventarc']),
      ...(holds(AGENT, 'roles/iam.serviceAccountOpenIdTokenCreator', /events_token/) ? [] : ['gcp-sa-pubsub']),
    ];
  },
  'a dashboard holds no zeros, which Google leaves out': (plan) =>
    addresses(of(plan, /^google_monitoring_dashboard$/).filter((one) => /":0[,}]/.test(text(one, 'dashboard_json').replaceAll(/\s/g, '')))),
  'what is counted is summed over revisions and codes': (plan) =>
    addresses(
      of(plan, /^google_monitoring_alert_policy$/).filter(
        (one) =>
          /"per_series_aligner":"ALIGN_DELTA"/.test(JSON.stringify(one.values)) &&
          !/"cross_series_reducer":"REDUCE_SUM"/.test(JSON.stringify(one.values)),
      ),
    ),
  "nothing waits for Firestore's policy of deletion": (plan) =>
    addresses(of(plan, /^google_firestore_field$/).filter((one) => one.values['skip_wait'] !== true)),
  'no bucket deletes what Terraform keeps in it': (plan) =>
    addresses(
      of(plan, /^google_storage_bucket$/).filter((one) => {
        const objects = of(plan, /^google_storage_bucket_object$/).filter((object) => object.values['bucket'] === one.values['name']);
        const rules = (one.values['lifecycle_rule'] as { condition: { matches_prefix?: string[] }[] }[] | undefined) ?? [];
        return objects.some((object) =>
          rules.some(({ condition }) => {
            const prefixes = condition[0]?.matches_prefix ?? [];
            return prefixes.length === 0 || prefixes.some((prefix) => text(object, 'name').startsWith(prefix));
          }),
        );
      }),
    ),
  'who reads a grant or signs as an account is recorded': (plan) => {
    const kinds = (service: string): string[] =>
      of(plan, /^google_project_iam_audit_config$/)
        .filter((one) => text(one, 'service') === service)
        .flatMap((one) => (one.values['audit_log_config'] as { log_type: string }[]).map(({ log_type }) => log_type));
    return [
      ...(kinds('secretmanager.googleapis.com').includes('DATA_READ') ? [] : ['secretmanager.googleapis.com']),
      ...(kinds('iam.googleapis.com').includes('ADMIN_READ') ? [] : ['iam.googleapis.com']),
    ];
  },
  'every push has a dead letter topic': (plan) =>
    addresses(
      of(plan, /^google_pubsub_subscription$/).filter(
        (one) =>
          block(one, 'push_config') &&
          !/\/inbox$/.test(String(block(one, 'push_config')?.['push_endpoint'])) && // a hint to look into a mailbox, nothing that could be lost
          !block(one, 'dead_letter_policy'),
      ),
    ),
  'Gmail may publish what it reports, on a topic that nothing else reads': (plan) =>
    addresses(
      of(plan, IAM).filter((one) => {
        if (!members(one).some((member) => /@system\.gserviceaccount\.com$/.test(member))) return false;
        const topic = (plan.refers[base(one)] ?? []).find((address) => address.startsWith('google_pubsub_topic.'));
        const readers = of(plan, /^google_pubsub_subscription$/).filter((reader) => plan.refers[base(reader)]?.includes(topic ?? ''));
        const harmless = readers.every((reader) => /\/inbox$/.test(String(block(reader, 'push_config')?.['push_endpoint'])));
        return (
          one.type !== 'google_pubsub_topic_iam_member' ||
          text(one, 'role') !== 'roles/pubsub.publisher' ||
          text(one, 'member') !== 'serviceAccount:gmail-api-push@system.gserviceaccount.com' ||
          topic === undefined ||
          !harmless
        );
      }),
    ),
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
  "no function is built by Google's default account": (plan) =>
    addresses(
      of(plan, /^google_cloudfunctions2_function$/).filter(
        (one) => !(plan.written[base(one)] as { build_config?: { service_account?: unknown }[] }).build_config?.[0]?.service_account,
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
          /^roles\/datastore\.(user|viewer)$/.test(text(one, 'role')) &&
          !/databases\/[^/"]+"$/.test(String(block(one, 'condition')?.['expression'] ?? '')),
      ),
    ),
  'grants and ledger are not deleted in passing': (plan) =>
    addresses([
      ...of(plan, /^google_secret_manager_secret$/).filter(
        (one) =>
          one.values['deletion_protection'] !== true || one.values['deletion_policy'] !== 'ABANDON' || !one.values['version_destroy_ttl'],
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
      (address) => !/iam_member|storage_bucket_object|terraform_data/.test(address) && !after(address, new Set()),
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
