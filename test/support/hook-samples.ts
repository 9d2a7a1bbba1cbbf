import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileTexts, load } from './routes.ts';

const FOLDER = 'config/templates';
const hook = { verify: 'bearer', secret: 'hook-any' };
const route = (template: string, change: object = {}) => ({ hook, from: 'notices@example.com', to: 'dev@example.com', template, ...change });

/** Webhook routes as a user would write them, each with the sample of its publisher. */
export const SAMPLES: readonly { readonly template: string; readonly route: object; readonly attributes: Record<string, string> }[] = [
  {
    template: 'github-workflow-run',
    route: route('github-workflow-run', {
      when: 'attributes["x-github-event"] == "workflow_run" && event.action == "completed" && event.workflow_run.conclusion == "failure"',
    }),
    attributes: { 'x-github-event': 'workflow_run' },
  },
  {
    template: 'github-release',
    route: route('github-release', { when: 'attributes["x-github-event"] == "release" && event.action == "published"' }),
    attributes: { 'x-github-event': 'release' },
  },
  { template: 'alertmanager', route: route('alertmanager', { when: 'event.status == "firing"' }), attributes: {} },
  { template: 'grafana', route: route('grafana', { when: 'event.status == "firing"' }), attributes: {} },
  { template: 'stripe-invoice', route: route('stripe-invoice', { when: 'event.type == "invoice.payment_failed"' }), attributes: {} },
  { template: 'webhook', route: route('webhook'), attributes: {} },
];

export const sampleOf = (template: string): unknown =>
  JSON.parse(readFileSync(join('config/samples', `${template === 'webhook' ? 'generic' : template}.json`), 'utf8'));

/** The routes with the templates of the repository, compiled. */
export async function compiledSamples() {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.hbs'));
  const routes = Object.fromEntries(SAMPLES.map(({ template, route }) => [template, route]));
  const { module, problems } = compileTexts(
    routes,
    Object.fromEntries(files.map((path) => [path.replaceAll('\\', '/'), readFileSync(join(FOLDER, path), 'utf8')])),
  );
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return load(module);
}
