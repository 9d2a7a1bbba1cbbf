import type { Handler } from '../../runtime/serve.ts';

/** Serves some paths apart, and everything else by one handler; a path that ends in a slash stands for all below it. */
export function byPath(doors: Readonly<Record<string, Handler>>, otherwise: Handler): Handler {
  return (req, res) => {
    const path = pathOf(req.url);
    const below = Object.keys(doors).find((door) => door.endsWith('/') && path.startsWith(door));
    return ((Object.hasOwn(doors, path) && doors[path]) || (below && doors[below]) || otherwise)(req, res);
  };
}

/** A handler that is loaded when it is first asked for. */
export function later(load: () => Promise<Handler>): Handler {
  let loaded: Promise<Handler> | undefined;
  return async (req, res) => {
    loaded ??= load();
    await (await loaded)(req, res);
  };
}

/** The path without query, with repeated slashes collapsed: `//emails` comes from a base URL that ends in a slash. */
export const pathOf = (url: string | undefined): string =>
  (url ?? '/')
    .split('?', 1)[0]
    ?.replace(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1') ?? '/';
