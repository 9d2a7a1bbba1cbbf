import type { Compiled } from '../../notify/compiled.ts';
import type { Edge } from '../../runtime/function-context.ts';

/** The routes as they were compiled: by the build, or by whoever runs the sources and says where. */
export async function compiledRoutes({ routesFile }: Pick<Edge, 'routesFile'>): Promise<Compiled> {
  const { compiled } = (await (routesFile === null ? import('../../notify/compiled.ts') : import(routesFile))) as { compiled: Compiled };
  return compiled;
}
