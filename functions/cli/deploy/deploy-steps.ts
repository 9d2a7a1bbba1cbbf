import type { ProgramResult } from './program.ts';
import type { Tfvars } from './tfvars.ts';

/** What to deploy, and where. */
export interface DeployTarget {
  readonly project: string;
  /** undefined: the region of terraform.tfvars, or the default. */
  readonly region?: string | undefined;
  readonly prefix?: string | undefined;
  readonly configFile?: string | undefined;
  /**
   * The content of terraform.tfvars. The state is stored under the prefix where the pipeline looks for it, in the region of the
   * rest.
   */
  readonly said?: Tfvars;
  /** The environment, such as staging; its state is stored separately, below the prefix. */
  readonly env?: string | undefined;
  readonly bucket: string;
  readonly planFile: string;
  /** True if Firestore documents become emails: then Eventarc's service agent is needed. */
  readonly documents: boolean;
}

/** A check of what a deployment needs; it changes nothing. */
export interface DeployCheck {
  readonly name: string;
  readonly argv: readonly string[];
  /** The output is a token: it is not read. */
  readonly secret?: true;
  /** The check that must succeed before this one is meaningful. */
  readonly needs?: string;
  /** True: the deployment stops if the check fails. False: the failure is reported, and the deployment goes on. */
  readonly must: boolean;
  well(ended: ProgramResult): boolean;
  readonly fix: string;
}

const LOGIN = 'gcloud auth login --update-adc';

export const checksFor = ({ project }: DeployTarget): DeployCheck[] => [
  {
    name: 'gcloud',
    argv: ['gcloud', 'version', '--format=value("Google Cloud SDK")'],
    must: true,
    well: ({ status }) => status === 0,
    fix: 'Install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install',
  },
  {
    name: 'account',
    argv: ['gcloud', 'auth', 'list', '--filter=status:ACTIVE', '--format=value(account)'],
    needs: 'gcloud',
    must: true,
    well: ({ status, stdout }) => status === 0 && stdout.trim() !== '',
    fix: LOGIN,
  },
  {
    name: 'credentials',
    argv: ['gcloud', 'auth', 'application-default', 'print-access-token'],
    secret: true,
    needs: 'gcloud',
    must: true,
    well: ({ status }) => status === 0,
    fix: `${LOGIN}    # Terraform and the commands of mailgrant take Application Default Credentials`,
  },
  {
    name: 'project',
    argv: ['gcloud', 'projects', 'describe', project, '--format=value(lifecycleState)'],
    needs: 'account',
    must: true,
    well: ({ status, stdout }) => status === 0 && stdout.trim() === 'ACTIVE',
    fix: `gcloud projects create ${project}    # or name one that you may see`,
  },
  {
    name: 'billing',
    argv: ['gcloud', 'billing', 'projects', 'describe', project, '--format=value(billingEnabled)'],
    needs: 'project',
    must: false, // an operator who may deploy need not be allowed to see this
    well: ({ status, stdout }) => status === 0 && /^true$/i.test(stdout.trim()),
    fix: `gcloud billing projects link ${project} --billing-account=ID    # IDs: gcloud billing accounts list`,
  },
  {
    name: 'terraform',
    argv: ['terraform', 'version', '-json'],
    must: true,
    well: ({ status, stdout }) => status === 0 && /"terraform_version":\s*"1\.(9|[1-9]\d+)\./.test(stdout),
    fix: 'Install Terraform 1.9 or newer: https://developer.hashicorp.com/terraform/install',
  },
];

/** One command of a deployment, in the order of the list. */
export interface DeployStep {
  readonly id: 'apis' | 'agents' | 'bucket' | 'versions' | 'init' | 'plan' | 'show' | 'apply' | 'output';
  readonly title: string;
  readonly argv: readonly string[];
  /** Left out where this command succeeds, because the result exists already. */
  readonly unless?: readonly string[];
}

/**
 * Every API that infra/ enables, and when; a test compares it with `local.apis`. APIs are enabled before a plan, not moments
 * before their use.
 */
export const APIS: Readonly<Record<'always' | 'documents' | 'build' | 'budget', readonly string[]>> = {
  always: [
    ...[
      'artifactregistry',
      'cloudbuild',
      'cloudfunctions',
      'cloudresourcemanager',
      'cloudscheduler',
      'cloudtasks',
      'firestore',
      'gmail',
      'iam',
    ],
    ...['iamcredentials', 'logging', 'monitoring', 'pubsub', 'run', 'secretmanager', 'serviceusage', 'storage'],
  ],
  documents: ['eventarc', 'eventarcpublishing'],
  build: ['containeranalysis'],
  budget: ['billingbudgets'],
};
const REGION = 'europe-west1'; // the default of infra/variables.tf

export function stepsFor({
  project,
  region,
  prefix,
  said = { names: [] },
  env,
  configFile,
  bucket,
  planFile,
  documents,
}: DeployTarget): DeployStep[] {
  const terraform = (...words: string[]): string[] => ['terraform', '-chdir=infra', ...words];
  const variable = (name: string, value: string | undefined): string[] => (value === undefined ? [] : ['-var', `${name}=${value}`]);
  const sets = (name: string): boolean => said.names.includes(name);
  const apis = [
    ...APIS.always,
    ...(documents ? APIS.documents : []),
    ...(sets('build') ? APIS.build : []),
    ...(sets('budget') ? APIS.budget : []),
  ].map((api) => `${api}.googleapis.com`);
  const agent = (api: string): string[] => [
    'gcloud',
    'beta',
    'services',
    'identity',
    'create',
    `--service=${api}`,
    `--project=${project}`,
    '--quiet',
  ];
  const state = `gs://${bucket}`;
  return [
    {
      id: 'apis',
      title: 'enable the APIs',
      argv: ['gcloud', 'services', 'enable', ...apis, `--project=${project}`],
    },
    // Google refuses a role for a service agent that does not exist yet.
    ...['pubsub', ...(documents ? ['eventarc'] : [])].map((api) => ({
      id: 'agents' as const,
      title: `have the service agent of ${api} made`,
      argv: agent(`${api}.googleapis.com`),
    })),
    {
      id: 'bucket',
      title: "make the bucket of Terraform's state",
      unless: ['gcloud', 'storage', 'buckets', 'describe', state, '--format=value(name)'],
      argv: [
        ...['gcloud', 'storage', 'buckets', 'create', state, `--project=${project}`, `--location=${region ?? said.region ?? REGION}`],
        ...['--uniform-bucket-level-access', '--public-access-prevention'],
      ],
    },
    { id: 'versions', title: 'keep older states', argv: ['gcloud', 'storage', 'buckets', 'update', state, '--versioning'] },
    {
      id: 'init',
      title: 'fetch the provider, open the state',
      argv: terraform(
        'init',
        '-input=false',
        '-reconfigure',
        `-backend-config=bucket=${bucket}`,
        `-backend-config=prefix=${prefix ?? said.prefix ?? 'mailgrant'}${env ? `/${env}` : ''}`,
      ),
    },
    {
      id: 'plan',
      title: 'plan',
      argv: terraform(
        ...[
          'plan',
          '-input=false',
          '-lock-timeout=120s',
          '-detailed-exitcode',
          `-out=${planFile}`,
          ...(env ? [`-var-file=env/${env}.tfvars`] : []),
        ],
        ...variable('project_id', project),
        ...[...variable('region', region), ...variable('name_prefix', prefix), ...variable('config_file', configFile)],
      ),
    },
    { id: 'show', title: 'read the plan', argv: terraform('show', '-json', planFile) },
    { id: 'apply', title: 'apply that plan', argv: terraform('apply', '-input=false', '-lock-timeout=120s', planFile) },
    { id: 'output', title: 'read what was made', argv: terraform('output', '-json') },
  ];
}

/** The outputs of an apply that a deployment uses; null where the state is older than the output. */
export interface Made {
  readonly urls: Readonly<Record<string, string>>;
  readonly next: readonly string[];
  readonly topic: string | null;
  readonly database: string | null;
}

/** Reads `terraform output -json`. */
export function readOutputs(json: string): Made {
  const given = JSON.parse(json) as Readonly<Record<string, { readonly value: unknown } | undefined>>;
  const text = (name: string): string | null => (typeof given[name]?.value === 'string' ? given[name].value : null);
  return {
    urls: (given['urls']?.value ?? {}) as Made['urls'],
    next: (given['next_steps']?.value ?? []) as Made['next'],
    topic: text('mails_topic'),
    database: text('database'),
  };
}
