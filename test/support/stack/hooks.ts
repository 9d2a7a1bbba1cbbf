import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createWebhookVerifier } from '../../../functions/google/auth/webhook-verifier.ts';
import type { Hook } from '../../../functions/mail/model/route.ts';
import { createLog } from '../../../functions/runtime/log.ts';
import { webhooks } from '../../../functions/trigger/hooks/webhook-handler.ts';
import { CONFIG, type Laptop, MAILBOX, PROJECT, serveOn, startLaptop } from './laptop.ts';
import { compileTexts, configWith } from './routes.ts';

export interface Hooks extends AsyncDisposable {
  readonly laptop: Laptop;
  readonly url: string;
  /** Stores the secret of a route, so that the next look finds it. */
  store(route: string, payload: string): void;
}

/** A route as the config file has it, which emails what an event says. */
export function routeOf({ verify, toleranceSeconds, rememberMs, hmac, google }: Hook, name: string, change: object = {}) {
  const remember = rememberMs !== undefined && { rememberFor: `${rememberMs / 60_000}m` };
  const hook = { verify, toleranceSeconds, ...remember, ...hmac, ...google, ...(verify !== 'google-oidc' && { secret: `hook-${name}` }) };
  return { hook, from: MAILBOX, to: ['you@example.net'], template: 'any', ...change };
}

const TEMPLATE = '---\nsubject: canary-subject\n---\n<p>canary-body</p><pre>{{json event}}</pre><pre>{{json attributes}}</pre>\n';

/** The fake Google and the hooks function in this process, with routes as the build compiles them. */
export async function startHooks(
  routes: Readonly<Record<string, object>>,
  on?: Laptop,
  files: Readonly<Record<string, string>> = {},
): Promise<Hooks> {
  const { module, problems } = compileTexts(routes, {
    'any.hbs': TEMPLATE,
    'digest.hbs': '---\nsubject: canary-digest\n---\n<p>{{digest.count}} more</p>\n',
    ...files,
  });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const laptop = on ?? (await startLaptop());
  const routesFile = `data:text/javascript,${encodeURIComponent(module)}`;
  const edge = { ...laptop.edge, routesFile, config: { ...CONFIG, routes: configWith(routes).routes ?? [] } };
  const log = createLog((line) => laptop.lines.push(JSON.parse(line)));
  const witness = createWebhookVerifier(laptop.settings, createIdentity(laptop.settings.urls.metadata));
  const server = await serveOn(webhooks(edge, witness, log, { timeoutMs: 2_000 }));
  return {
    laptop,
    url: server.url,
    store: (route, payload) => laptop.google.storeSecret(PROJECT, `hook-${route}`, payload),
    async [Symbol.asyncDispose]() {
      server.close();
      if (!on) await laptop[Symbol.asyncDispose]();
    },
  };
}
