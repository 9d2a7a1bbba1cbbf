import { createIdentity } from '../../functions/google/identity.ts';
import { createWitness } from '../../functions/google/witness.ts';
import { createLog } from '../../functions/log.ts';
import type { Hook } from '../../functions/mail/route.ts';
import { type HookRoute, webhooks } from '../../functions/trigger/webhook.ts';
import { type Laptop, MAILBOX, PROJECT, serveOn, startLaptop } from './laptop.ts';

export interface Hooks extends AsyncDisposable {
  readonly laptop: Laptop;
  readonly url: string;
  /** Stores the secret of a route, so that the next look finds it. */
  store(route: string, payload: string): void;
}

/** A route that mails what an event says. */
export const routeOf = (hook: Hook, name: string, change: Partial<HookRoute> = {}): HookRoute => ({
  hook: { ...hook, secret: `hook-${name}` },
  caller: { id: `route:${name}`, from: [MAILBOX], to: null },
  mailOf: async (event) => ({
    from: MAILBOX,
    to: 'you@example.net',
    subject: 'canary-subject',
    text: `canary-body ${JSON.stringify(event)}`,
  }),
  ...change,
});

/** The fake Google and the hooks function in this process. */
export async function startHooks(routes: Readonly<Record<string, HookRoute>>): Promise<Hooks> {
  const laptop = await startLaptop();
  const log = createLog((line) => laptop.lines.push(JSON.parse(line)));
  const witness = createWitness(laptop.settings, createIdentity(laptop.settings.urls.metadata));
  const server = await serveOn(webhooks(laptop.edge, witness, new Map(Object.entries(routes)), log, { patienceMs: 2_000 }));
  return {
    laptop,
    url: server.url,
    store: (route, payload) => laptop.google.storeSecret(PROJECT, `hook-${route}`, payload),
    async [Symbol.asyncDispose]() {
      server.close();
      await laptop[Symbol.asyncDispose]();
    },
  };
}
