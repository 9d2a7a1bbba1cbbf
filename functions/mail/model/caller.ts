import type { Caller, Config, DocumentsConfig } from './config.ts';
import type { Route } from './route.ts';

/** Whoever may publish on the topic may send from every configured mailbox: that is what the topic's IAM policy decides. */
export const PUBLISHER: Caller = { id: 'pubsub', from: null, to: null };

/** The documents of the configured collection. */
export const documentsCaller = ({ from, to, limits }: DocumentsConfig): Caller => ({
  id: 'documents',
  from,
  to: to ?? null,
  ...(limits && { limits }),
});

/** The events of a route. */
const routeCaller = ({ name, from, only }: Route): Caller => ({ id: `route:${name}`, from: [from.address], to: only });

/** Names of callers that are no keys. */
export const RESERVED: readonly string[] = [PUBLISHER.id, 'documents'];

/**
 * Who asked for an email that is taken up again later, with what it may do now, as the config has it today. Null for a key
 * that is gone, disabled or expired, and for a route that is gone.
 */
export function callerOf(
  id: string,
  { keys, documents, routes = [] }: Pick<Config, 'keys' | 'documents' | 'routes'>,
  now: number,
): Caller | null {
  if (id === PUBLISHER.id) return PUBLISHER;
  if (id === 'documents') return documents ? documentsCaller(documents) : null;
  const route = routes.find(({ name }) => id === `route:${name}`);
  if (route) return routeCaller(route);
  const key = keys.find((one) => one.id === id);
  return key && key.disabled !== true && (key.expires === undefined || now < key.expires) ? key : null;
}

/** True for an API key: its own limits count when it asks, not when the email goes out. */
export const isKey = (id: string, { keys }: Pick<Config, 'keys'>): boolean => keys.some((one) => one.id === id);
