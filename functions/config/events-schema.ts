import * as z from 'zod';
import type { Config } from '../mail/model/config.ts';
import { EVENT_TYPES, type EventTarget } from '../mail/model/email-event.ts';
import { secretId } from './hook-schema.ts';

const TOPIC = /^(projects\/[a-z0-9.:-]{4,100}\/topics\/)?[A-Za-z][\w.~+%-]{2,254}$/;

const target = z
  .strictObject({
    url: z
      .string()
      .refine((text) => urlProblem(text) === null, { error: ({ input }) => urlProblem(String(input)) ?? '' })
      .optional(),
    secret: secretId.optional(),
    topic: z.string().regex(TOPIC, { error: 'expected the name of a topic, or projects/P/topics/T' }).optional(),
    types: z
      .array(z.enum(EVENT_TYPES, { error: `expected one of ${EVENT_TYPES.join(', ')}` }))
      .min(1, { error: 'expected at least one type, or leave it out for all' })
      .default([...EVENT_TYPES]),
    addresses: z.boolean().default(false),
  })
  .superRefine(({ url, topic, secret }, context) => {
    const problem = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((url === undefined) === (topic === undefined)) problem('url', 'expected a url or a topic, one of the two');
    if (url !== undefined && secret === undefined) problem('secret', 'missing; name the secret that events are signed with');
    if (topic !== undefined && secret !== undefined) problem('secret', 'only with a url');
  });

export const eventsSchema = z.record(z.string(), target).optional();

/** As for attachments: public names, https only. Loopback is for the local stack; anywhere else posting an event to it fails. */
function urlProblem(text: string): string | null {
  const url = URL.parse(text);
  if (!url) return 'expected a URL such as https://app.example.com/webhooks/mailgrant';
  if (url.username !== '' || url.password !== '') return 'expected a URL without credentials: events are signed';
  if (url.hash !== '') return 'expected a URL without #';
  if (url.protocol === 'http:' && /^(127\.0\.0\.1|localhost)$/.test(url.hostname)) return null;
  if (url.protocol !== 'https:') return 'expected https';
  return /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z][a-z0-9-]*$/.test(url.hostname) ? null : 'expected a host name, not an IP address';
}

export const eventsOf = (given: NonNullable<z.output<typeof eventsSchema>>): EventTarget[] =>
  Object.entries(given).map(([name, { url, secret, topic, types, addresses }]) => ({
    name,
    ...(url !== undefined && { url }),
    ...(secret !== undefined && { secret }),
    ...(topic !== undefined && { topic }),
    types,
    addresses,
  }));

/** Settings that are valid on their own and contradict the rest of the configuration. */
export function eventContradictions({ events = [], ledger, mailboxes, routes = [] }: Config): string[] {
  const grants = new Set(mailboxes.filter(({ grant }) => grant !== 'delegation').map(({ secret }) => secret));
  const hooks = new Set(routes.flatMap(({ hook }) => hook?.secret || []));
  return events.flatMap(({ name, addresses, secret }) => [
    ...(addresses && ledger.addresses !== 'plain'
      ? [`events.${name}.addresses: the ledger has hashes alone; it needs \`ledger: { addresses: plain }\``]
      : []),
    ...(secret !== undefined && grants.has(secret) ? [`events.${name}.secret: ${secret} is the secret of a mailbox`] : []),
    ...(secret !== undefined && hooks.has(secret) ? [`events.${name}.secret: ${secret} is the secret of a webhook`] : []),
  ]);
}
