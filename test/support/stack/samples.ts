import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileRoutes, type SourceFile } from '../../../functions/notify/compile-routes.ts';
import type { Compiled } from '../../../functions/notify/compiled.ts';
import type { DigestFacts } from '../../../functions/notify/event-email.ts';
import { configWith, load } from './routes.ts';

const TEMPLATES = 'config/templates';
const SAMPLES = 'config/samples';

/** An event that becomes an email by a template that ships with mailgrant. */
export interface Case {
  readonly name: string;
  readonly template: string;
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, string>>;
  readonly digest?: DigestFacts;
}

/** The template files as they ship. */
export const shipped = (): SourceFile[] =>
  readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.hbs'))
    .sort()
    .map((path) => ({ path, file: join(TEMPLATES, path), text: readFileSync(join(TEMPLATES, path), 'utf8') }));

/** Every shipped template, each with a route of its own name. */
export async function compileShipped(): Promise<Compiled> {
  const files = shipped();
  const names = files.filter(({ path }) => !path.includes('/') && !path.endsWith('.txt.hbs')).map(({ path }) => path.replace('.hbs', ''));
  const routes = Object.fromEntries(
    names.map((template) => [template, { topic: 'events', from: 'notices@example.com', to: 'dev@example.com', template, every: '1h' }]),
  );
  const { module, problems } = compileRoutes(configWith(routes).routes ?? [], files, () => ({ file: 'test', line: 1 }));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return load(module);
}

/** The event of a sample file. */
export const sample = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(SAMPLES, `${name}.json`), 'utf8'));

/** The samples as they ship, and what else their publishers send. */
export function cases(): Case[] {
  const one = (name: string, change: object = {}, attributes: Record<string, string> = {}, template = name): Case => ({
    name: Object.keys(change).length > 0 ? `${template}-${Object.values(change)[0]}`.toLowerCase().replace(/[^a-z0-9]+/g, '-') : name,
    template,
    data: { ...sample(template), ...change },
    attributes,
  });
  const { incident } = sample('monitoring-incident') as { incident: object };
  const { finding } = sample('security-finding') as { finding: object };
  const { id, projectId, substitutions, createTime } = sample('cloud-build');
  const alerts = sample('alertmanager')['alerts'] as object[];
  const ended = alerts.map((alert) => ({ ...alert, status: 'resolved', endsAt: '2026-11-24T07:59:12.382Z' }));
  const { data, ...stripe } = sample('stripe-invoice') as { data: { object: object } };
  const settled = { amount_paid: 4900, amount_remaining: 0, next_payment_attempt: null, status: 'paid' };
  const paid = { ...stripe, type: 'invoice.paid', livemode: true, data: { object: { ...data.object, ...settled } } };
  return [
    one('cloud-build'),
    one('cloud-build', { status: 'SUCCESS', failureInfo: undefined, steps: [] }),
    one('cloud-build', { status: 'TIMEOUT', failureInfo: undefined, statusDetail: 'The build went over its timeout of 600s.' }),
    { name: 'cloud-build-queued', template: 'cloud-build', data: { id, projectId, status: 'QUEUED', createTime }, attributes: {} },
    one('cloud-build', { status: 'CANCELLED', failureInfo: undefined, steps: undefined, substitutions }),
    one('monitoring-incident'),
    {
      ...one('monitoring-incident'),
      name: 'monitoring-incident-closed',
      data: { incident: { ...incident, state: 'closed', ended_at: 1795508640 }, version: '1.2' },
    },
    {
      ...one('monitoring-incident'),
      name: 'monitoring-incident-warning',
      data: { incident: { ...incident, severity: 'Warning', documentation: undefined, observed_value: undefined }, version: '1.2' },
    },
    one('budget-alert', {}, { billingAccountId: '01A2B3-4C5D6E-7F8091', budgetId: 'f1e2d3c4', schemaVersion: '1.0' }),
    {
      ...one('budget-alert'),
      name: 'budget-alert-over',
      data: { ...sample('budget-alert'), costAmount: 611.2, alertThresholdExceeded: 1.2 },
    },
    {
      ...one('budget-alert'),
      name: 'budget-alert-forecast',
      data: { ...sample('budget-alert'), costAmount: 120, alertThresholdExceeded: undefined, forecastThresholdExceeded: 1 },
    },
    one('artifact-registry'),
    {
      ...one('artifact-registry'),
      name: 'artifact-registry-untagged',
      data: { action: 'DELETE', digest: sample('artifact-registry')['digest'] },
    },
    one('container-analysis'),
    one('security-finding'),
    {
      ...one('security-finding'),
      name: 'security-finding-inactive',
      data: { ...sample('security-finding'), finding: { ...finding, state: 'INACTIVE' } },
    },
    one('storage-object', {}, { eventType: 'OBJECT_FINALIZE', bucketId: 'example-shop-exports', payloadFormat: 'JSON_API_V1' }),
    { ...one('storage-object', {}, { eventType: 'OBJECT_DELETE' }), name: 'storage-object-deleted' },
    one('scheduler-tick'),
    one('github-workflow-run'),
    one('github-release'),
    one('alertmanager'),
    one('alertmanager', { status: 'resolved', alerts: ended }), // of a group that is over, every alert is
    one('grafana'),
    one('stripe-invoice'),
    { ...one('stripe-invoice'), name: 'stripe-invoice-paid', data: paid },
    one('webhook'),
    {
      name: 'digest',
      template: 'monitoring-incident',
      data: sample('monitoring-incident'),
      attributes: {},
      digest: {
        count: 9_999,
        first: Date.UTC(2026, 10, 24, 8, 0, 7),
        last: Date.UTC(2026, 10, 24, 8, 59, 58),
        from: Date.UTC(2026, 10, 24, 8),
        until: Date.UTC(2026, 10, 24, 9),
        sample: 'Alert: Checkout is slow',
      },
    },
  ];
}
