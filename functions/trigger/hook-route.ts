import type { Config } from '../mail/config.ts';
import type { Hook } from '../mail/route.ts';
import type { Compiled, CompiledRoute } from '../notify/compiled.ts';

/** A route that is fed by a webhook. */
export interface HookRoute {
  readonly hook: Hook;
  readonly compiled: CompiledRoute;
}

/** The routes of the config that have a hook, by name, as the build compiled them. */
export function hookRoutes({ routes = [] }: Config, compiled: Compiled): ReadonlyMap<string, HookRoute> {
  return new Map(
    routes.flatMap(({ name, hook }) => {
      const route = Object.hasOwn(compiled.routes, name) ? compiled.routes[name] : undefined;
      return hook && route ? [[name, { hook, compiled: route }]] : [];
    }),
  );
}
