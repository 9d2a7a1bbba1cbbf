import type { Handler } from '../serve.ts';
import { pathOf } from './routes.ts';

/** Serves some paths apart, and everything else by one handler. */
export function byPath(doors: Readonly<Record<string, Handler>>, otherwise: Handler): Handler {
  return (req, res) => {
    const path = pathOf(req.url);
    return ((Object.hasOwn(doors, path) && doors[path]) || otherwise)(req, res);
  };
}
