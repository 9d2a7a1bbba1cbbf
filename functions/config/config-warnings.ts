import type { Config } from '../mail/model/config.ts';

/** Settings that are valid and rarely intended: one sentence each, with what to do. */
export function warningsOf({ routes = [], mailboxes, suppress }: Config): string[] {
  const users = Map.groupBy(
    routes.flatMap(({ name, hook }) => (hook && hook.secret !== '' ? [{ name, hook }] : [])),
    ({ hook }) => hook.secret,
  );
  const unseen =
    suppress && !mailboxes.some(({ bounces }) => bounces)
      ? ['suppress.bounced: no mailbox has `bounces: true`, so only what `mailgrant suppression add` names is refused']
      : [];
  const sharedSecrets = [...users].flatMap(([secret, shared]) => {
    if (shared.length < 2) return [];
    const names = shared.map(({ name }) => name).join(', ');
    const schemes = [...new Set(shared.map(({ hook }) => hook.verify))];
    const under = schemes.length > 1 ? `, under ${schemes.length} schemes (${schemes.join(', ')})` : '';
    return [
      `routes ${names} share the secret ${secret}${under}: a request that is genuine at one is genuine at each of them; give each route a secret of its own`,
    ];
  });
  return [...sharedSecrets, ...unseen];
}
