import { CommandError } from '../common/refusal.ts';
import type { Programs } from './program.ts';

/** The functions that send emails or accept them. */
const SENDING = ['worker', 'api', 'hooks'] as const;

/** A function of a deployment, as its Cloud Run service. */
export interface Service {
  readonly name: string;
  readonly region: string;
  readonly stopped: boolean;
}

interface Found {
  readonly metadata?: { readonly name?: unknown; readonly labels?: Readonly<Record<string, unknown>> };
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly env?: readonly { readonly name?: unknown; readonly value?: unknown }[] }[];
      };
    };
  };
}

/** The services of a deployment, worker first. Throws CommandError: services_missing. */
export async function findServices(project: string, prefix: string, programs: Programs): Promise<readonly Service[]> {
  const { status, stdout } = await programs(listing(project), 'read');
  if (status === null) throw new CommandError('services_missing', 'there is no gcloud on the PATH');
  if (status !== 0) throw new CommandError('services_missing', 'gcloud could not list the Cloud Run services of the project');
  const all = readServices(stdout);
  const services = SENDING.flatMap((name) => all.filter((one) => one.name === `${prefix}-${name}`));
  if (services.length === 0) throw new CommandError('services_missing', `no Cloud Run service of ${project} is called ${prefix}-worker`);
  return services;
}

export const listing = (project: string): string[] => ['gcloud', 'run', 'services', 'list', `--project=${project}`, '--format=json'];

/** The command that sets the switch of a service; it returns when the new revision gets all requests. */
export const switching = ({ name, region }: Service, project: string, stopped: boolean): string[] => [
  'gcloud',
  'run',
  'services',
  'update',
  name,
  `--region=${region}`,
  `--project=${project}`,
  `--update-env-vars=MAILGRANT_STOPPED=${stopped}`,
  '--quiet',
];

function readServices(text: string): Service[] {
  try {
    return (JSON.parse(text) as Found[]).map(({ metadata, spec }) => ({
      name: String(metadata?.name),
      region: String(metadata?.labels?.['cloud.googleapis.com/location']),
      stopped: (spec?.template?.spec?.containers ?? []).some(({ env = [] }) =>
        env.some(({ name, value }) => name === 'MAILGRANT_STOPPED' && value === 'true'),
      ),
    }));
  } catch {
    throw new CommandError('services_missing', 'gcloud answered something other than a list of services');
  }
}
