import type { Caller, Config } from '../mail/config.ts';
import type { Hook } from '../mail/route.ts';
import type { Compiled, CompiledRoute } from '../notify/compiled.ts';

/** A route that is fed by a webhook. */
export interface HookRoute {
  readonly hook: Hook;
  readonly compiled: CompiledRoute;
  /** Who its mails are sent in the name of, and to whom. */
  readonly caller: Caller;
}

/** The routes of the config that have a hook, by name, as the build compiled them. */
export function hookRoutes({ routes = [] }: Config, compiled: Compiled): ReadonlyMap<string, HookRoute> {
  return new Map(
    routes.flatMap(({ name, hook, from, only }) => {
      const route = compiled.routes[name];
      if (!hook || !route) return [];
      return [[name, { hook, compiled: route, caller: { id: `route:${name}`, from: [from.address], to: only } }]];
    }),
  );
}
