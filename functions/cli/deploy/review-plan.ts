/** The fields of one change of a plan, as `terraform show -json` writes it, that are read here. */
export interface PlannedChange {
  readonly address: string;
  readonly type?: string;
  /** Why Terraform replaces it, such as `replace_because_tainted`. */
  readonly action_reason?: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before?: Values | null;
    readonly after?: Values | null;
    readonly importing?: object;
  };
}
type Values = Readonly<Record<string, unknown>>;

/** The effects of a plan, counted and in words. */
export interface Review {
  readonly create: number;
  readonly update: number;
  readonly imported: number;
  /** Addresses of resources that it would destroy, also to replace them. */
  readonly gone: readonly string[];
  /** What such a destroy means, by address, where it is not obvious. */
  readonly words: Readonly<Record<string, string>>;
  /** Why the plan must not be applied; null if it may be. */
  readonly refused: string | null;
  /** Addresses whose change needs rights that the pipeline's account does not hold. */
  readonly person: readonly string[];
  readonly all: readonly PlannedChange[];
}

/** Resources that the account of the pipeline may change, and how; a test holds it against the permissions of its role. */
export const PIPELINE_MAY: Readonly<Record<string, readonly string[]>> = {
  google_artifact_registry_repository: ['update'],
  google_cloud_scheduler_job: ['create', 'update', 'delete'],
  google_cloud_tasks_queue: ['update'],
  google_cloudfunctions2_function: ['create', 'update'],
  google_eventarc_trigger: ['update'],
  google_firestore_field: ['create', 'update', 'delete'],
  google_logging_metric: ['create', 'update', 'delete'],
  google_monitoring_alert_policy: ['create', 'update', 'delete'],
  google_monitoring_dashboard: ['create', 'update', 'delete'],
  google_monitoring_notification_channel: ['create', 'update', 'delete'],
  google_pubsub_subscription: ['update'],
  google_pubsub_topic: ['update'],
  google_secret_manager_secret: ['update', 'delete'], // a deletion leaves the secret at Google
  google_storage_bucket_object: ['create', 'update', 'delete'],
  terraform_data: ['create', 'update', 'delete'],
};

/** Resources whose replacement loses data, and the reason for a replacement: a setting that cannot be changed in place. */
const FOR_LIFE = /^google_(secret_manager_secret|firestore_database)$|^google_storage_bucket$/;

const WORDS: Readonly<Record<string, string>> = {
  google_secret_manager_secret:
    'stays at Google, with its versions; Terraform forgets it. To end a grant, revoke it first: mailgrant revoke ADDRESS',
  google_firestore_database: 'stays at Google, with its records; Terraform forgets it',
  google_pubsub_subscription: 'what waits in it is lost: stop its publisher and let it drain first',
  google_cloudfunctions2_function: 'is made anew and away for some minutes; Google builds it first',
  google_pubsub_topic: 'its publishers are refused from then on',
  google_storage_bucket: 'what is in it is lost; Terraform refuses while the bucket of contents holds emails',
  google_cloud_tasks_queue: 'emails of a later time that wait in it are lost, and its name is taken for some days',
  google_service_account: 'every right that it held ends; one of the same name gets none of them back',
};
const TAINTED = 'was begun and did not finish, so it is made anew; nothing that worked is lost';
const FOLLOWS = 'goes and comes back with what it belongs to';

/** Reads `terraform show -json` of a plan. */
export function reviewPlan(json: string): Review {
  const { resource_changes: all = [] } = JSON.parse(json) as { resource_changes?: PlannedChange[] };
  const having = (action: string): PlannedChange[] => all.filter(({ change }) => change.actions.includes(action));
  const gone = having('delete');
  return {
    create: having('create').length,
    update: having('update').length,
    imported: all.filter(({ change }) => change.importing).length,
    gone: gone.map(({ address }) => address),
    words: Object.fromEntries(gone.flatMap((one) => (wordsFor(one) ? [[one.address, wordsFor(one)]] : []))),
    refused: refusal(gone),
    person: all.filter(needsPerson).map(({ address }) => address),
    all,
  };
}

const typeOf = ({ type, address }: PlannedChange): string => type ?? /(?:^|\.)(?!module\.)(\w+)\.\w+(?:\[|$)/.exec(address)?.[1] ?? '';
const replaced = ({ change }: PlannedChange): boolean => change.actions.includes('create') && change.actions.includes('delete');

function wordsFor(one: PlannedChange): string {
  if (one.action_reason === 'replace_because_tainted') return TAINTED;
  if (one.action_reason === 'replace_by_triggers') return FOLLOWS;
  return WORDS[typeOf(one)] ?? '';
}

function refusal(gone: readonly PlannedChange[]): string | null {
  const lost = gone.filter((one) => FOR_LIFE.test(typeOf(one)) && replaced(one) && one.action_reason !== 'replace_because_tainted');
  if (lost.length === 0) return null;
  return `It would make anew what must stay: ${lost.map(({ address }) => address).join(', ')}. The region, the prefix and the key of a deployment are for its life: set them back, or deploy into another project.`;
}

function needsPerson(one: PlannedChange): boolean {
  const acts = one.change.actions.filter((action) => action !== 'no-op' && action !== 'read');
  if (one.change.importing) return true;
  const may = PIPELINE_MAY[typeOf(one)] ?? [];
  return acts.some((action) => !may.includes(action));
}

/** A plan as text, for the person who is asked to consent. */
export function reviewText({ create, update, imported, gone, words }: Review): string {
  const takes = imported > 0 ? `${imported} to take over, ` : '';
  const lines = gone.map((address) => `  destroys ${address}${words[address] ? `: ${words[address]}` : ''}`);
  return [`${takes}${create} to create, ${update} to change, ${gone.length} to destroy.`, ...lines].join('\n');
}

/** True if a plan after a failed apply does no more than what was consented to, apart from replacing what did not finish. */
export function isTheRestOf(consented: Review, rest: Review): boolean {
  const within = new Set(
    consented.all.filter(({ change }) => !change.actions.every((one) => one === 'no-op')).map(({ address }) => address),
  );
  const acting = rest.all.filter(({ change }) => !change.actions.every((one) => one === 'no-op' || one === 'read'));
  return acting.every((one) => {
    if (!within.has(one.address)) return false;
    const destroys = one.change.actions.includes('delete');
    return !destroys || consented.gone.includes(one.address) || /^replace_(because_tainted|by_triggers)$/.test(one.action_reason ?? '');
  });
}
