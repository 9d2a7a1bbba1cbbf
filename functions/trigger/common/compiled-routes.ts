import type { Compiled } from '../../notify/compiled.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';

/** The routes as they were compiled: by the build, or by whoever runs the sources and says where. */
export async function compiledRoutes({ routesFile }: Pick<FunctionContext, 'routesFile'>): Promise<Compiled> {
  const { compiled } = (await (routesFile === null ? import('../../notify/compiled.ts') : import(routesFile))) as { compiled: Compiled };
  return compiled;
}
