import type { Handler } from '../../runtime/serve.ts';

/** Serves the listed paths by their own handlers and every other path by one handler. A path that ends in a slash includes all paths below it. */
export function byPath(doors: Readonly<Record<string, Handler>>, otherwise: Handler): Handler {
  return (req, res) => {
    const path = pathOf(req.url);
    const below = Object.keys(doors).find((door) => door.endsWith('/') && path.startsWith(door));
    return ((Object.hasOwn(doors, path) && doors[path]) || (below && doors[below]) || otherwise)(req, res);
  };
}

/** A handler that is loaded at its first request. */
export function later(load: () => Promise<Handler>): Handler {
  let loaded: Promise<Handler> | undefined;
  return async (req, res) => {
    loaded ??= load();
    await (await loaded)(req, res);
  };
}

/** The path without query, with repeated slashes collapsed: a base URL that ends in a slash makes `//emails`. */
export const pathOf = (url: string | undefined): string =>
  (url ?? '/')
    .split('?', 1)[0]
    ?.replace(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1') ?? '/';
