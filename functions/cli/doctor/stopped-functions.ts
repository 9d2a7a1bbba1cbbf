import type { run_v2 } from 'googleapis/build/src/apis/run/v2.js';
import { answered, callOptions } from '../common/google-clients.ts';
import type { Operator } from '../common/operator.ts';
import { type CheckFinding, failed, passed, unclear } from './check.ts';

/** Whether an operator has stopped all sending: the functions that are stopped, or why it is not known. */
export type Stopped = { readonly functions: readonly string[] } | { readonly unknown: string };

const SENDING = ['worker', 'api', 'hooks'];

/** Reads the variables of the deployment's Cloud Run services. */
export async function stoppedFunctions(operator: Operator, prefix = 'mailgrant'): Promise<Stopped> {
  const { urls, project, stopped } = operator.settings;
  if (stopped) return { functions: ['MAILGRANT_STOPPED'] }; // the local stack has its variables from here
  const { run_v2 } = await import('googleapis/build/src/apis/run/v2.js');
  const { services } = new run_v2.Run({}).projects.locations;
  const options = await callOptions(operator, urls.run, true, 10_000);
  const reply = await answered(services.list({ parent: `projects/${project}/locations/-`, pageSize: 1_000 }, options));
  if (!reply) return { unknown: 'Cloud Run did not answer' };
  if (!reply.data) return { unknown: `Cloud Run answered ${reply.status}; roles/run.viewer shows it` };
  const found = (reply.data.services ?? []).filter(isStopped).map(({ name }) => name?.split('/').at(-1) ?? '');
  return { functions: SENDING.map((name) => `${prefix}-${name}`).filter((name) => found.includes(name)) };
}

const isStopped = ({ template }: run_v2.Schema$GoogleCloudRunV2Service): boolean =>
  (template?.containers ?? []).some(({ env = [] }) => env.some(({ name, value }) => name === 'MAILGRANT_STOPPED' && value === 'true'));

const CHECK = 'stopped';
const START = 'npx mailgrant start, once the reason is gone';

/** The same as a finding of `doctor`. */
export function stoppedFinding(stopped: Stopped): CheckFinding {
  if ('unknown' in stopped) return unclear(CHECK, stopped.unknown);
  if (stopped.functions.length === 0) return passed(CHECK, 'no function is stopped');
  return failed(CHECK, 'stopped', stoppedText(stopped.functions), START);
}

const stoppedText = (functions: readonly string[]): string => `an operator has stopped all sending (${functions.join(', ')})`;

/** The same as lines below the table of `watch`; none where all functions run. */
export function stoppedLines(stopped: Stopped): string[] {
  if ('unknown' in stopped) return [`Whether the functions are stopped is not known: ${stopped.unknown}.`];
  if (stopped.functions.length === 0) return [];
  return [`STOPPED  ${stoppedText(stopped.functions)}: nothing is sent.`, `         fix: ${START}`];
}
