import type { Caller, Config, DocumentsConfig } from './config.ts';
import type { Route } from './route.ts';

/**
 * The caller of a message on the topic. The topic's IAM policy decides who may publish, and a publisher may send from every
 * configured mailbox.
 */
export const PUBLISHER: Caller = { id: 'pubsub', from: null, to: null };

/** The caller of the documents in the configured collection. */
export const documentsCaller = ({ from, to, limits }: DocumentsConfig): Caller => ({
  id: 'documents',
  from,
  to: to ?? null,
  ...(limits && { limits }),
});

/** The caller of a route's events. */
const routeCaller = ({ name, from, only }: Route): Caller => ({ id: `route:${name}`, from: [from.address], to: only });

/** Ids of callers that no API key may have. */
export const RESERVED: readonly string[] = [PUBLISHER.id, 'documents'];

/**
 * The caller of an email that is resumed later, with the permissions of today's configuration. Null for a key that is removed,
 * disabled or expired, and for a removed route.
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

/** True for an API key: its own limits count when it makes the request, not when the email is sent. */
export const isKey = (id: string, { keys }: Pick<Config, 'keys'>): boolean => keys.some((one) => one.id === id);
