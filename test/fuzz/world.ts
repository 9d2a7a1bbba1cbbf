import { createLog } from '../../functions/runtime/log.ts';
import { documentEvents } from '../../functions/trigger/documents/document-handler.ts';
import { appAt } from '../support/stack/documents.ts';
import { type Hooks, routeOf, startHooks } from '../support/stack/hooks.ts';
import { ALIAS, DEAD_TOPIC, type Laptop, MAILBOX, serveOn, startQueued } from '../support/stack/laptop.ts';
import { ROUTE, routed } from '../support/stack/routes.ts';
import { shipped } from '../support/stack/samples.ts';
import { sidecarFor } from '../support/stack/sidecar.ts';
import { SIGNED_CASES } from '../verify/schemes.ts';

/** Every door, on loopback, over one fake Google. */
export interface World extends AsyncDisposable {
  readonly laptop: Laptop;
  readonly hooks: Hooks;
  readonly documents: string;
  readonly app: ReturnType<typeof appAt>;
  readonly smtpPort: number;
  /** A number that no input had yet. */
  next(): number;
  /** Forgets what the inputs before left. */
  clear(): void;
  /** Emails that Gmail took and messages that were given up. */
  taken(): number;
}

/** The route of a scheme of webhooks. */
export const hookName = (scheme: string): string => scheme.replaceAll(' ', '-');

/** Conditions that read an event whole: none of them may cost more than its budget. */
const CONDITIONS = {
  listed: { when: 'has(event.items) && event.items.exists(one, one.size() > 2)', dedupe: 'string(event.items)' },
  matched: { when: 'has(event.text) && event.text.matches("^(a+)+$")' },
  compared: { when: '"a" in event || event.size() > 3 || event == {"a": [1.0, null]}', dedupe: 'string(event)' },
};
export const CONDITIONED = Object.keys(CONDITIONS);

/** The templates that are supplied, but the one of a digest. */
export const TEMPLATES = shipped().flatMap(({ path }) =>
  /^[\w-]+\.hbs$/.test(path) && path !== 'digest.hbs' ? [path.replace('.hbs', '')] : [],
);

export async function startWorld(): Promise<World> {
  const templates = Object.fromEntries(shipped().map(({ path, text }) => [path, text]));
  const routes = Object.fromEntries([
    ...TEMPLATES.map((template) => [template, { ...ROUTE, template }]),
    ...Object.entries(CONDITIONS).map(([name, change]) => [name, { ...ROUTE, template: 'any', ...change }]),
  ]);
  const { config, settings } = routed(routes, { ...templates, 'any.hbs': '---\nsubject: any\n---\n{{json event}} {{json attributes}}' });
  const laptop = await startQueued({
    config: { ...config, documents: { collection: 'mail', database: '(default)', from: [MAILBOX, ALIAS] } },
    settings,
    delivery: 'direct',
  });
  const hooks = await startHooks(
    Object.fromEntries(SIGNED_CASES.map(({ name, hook }) => [hookName(name), routeOf(hook, hookName(name))])),
    laptop,
  );
  for (const { name, secret } of SIGNED_CASES) hooks.store(hookName(name), secret);
  const app = appAt(laptop.google.url, laptop.google);
  const log = createLog((line) => laptop.lines.push(JSON.parse(line)));
  const documents = await serveOn(documentEvents({ ...laptop.edge, documents: () => app.documents }, log));
  const sidecar = await sidecarFor(laptop.api, { pause: async () => {} });
  let serial = 0;
  return {
    laptop,
    hooks,
    documents: documents.url,
    app,
    smtpPort: sidecar.port,
    next: () => ++serial,
    clear() {
      laptop.google.mails.clear();
      laptop.lines.length = 0;
      sidecar.lines.length = 0;
    },
    taken: () => laptop.google.mails.count() + laptop.google.pubsub.published(DEAD_TOPIC).length,
    async [Symbol.asyncDispose]() {
      await sidecar[Symbol.asyncDispose]();
      documents.close();
      await hooks[Symbol.asyncDispose]();
      await laptop[Symbol.asyncDispose]();
    },
  };
}
