import type { Compiled } from '../../notify/compiled.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';

/** The compiled routes: embedded by the build, or read from `routesFile` in development. */
export async function compiledRoutes({ routesFile }: Pick<FunctionContext, 'routesFile'>): Promise<Compiled> {
  const { compiled } = (await (routesFile === null ? import('../../notify/compiled.ts') : import(routesFile))) as { compiled: Compiled };
  return compiled;
}
