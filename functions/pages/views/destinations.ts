import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hook, Route } from '../../mail/model/route.ts';
import { signAs } from '../../verify/sign.ts';
import { schemeOf } from '../../verify/verify.ts';
import type { LocalStack } from '../parts/context.ts';

/** A destination for an event that is sent by hand: the queue of emails, the topic of a route, or its webhook. */
export type Destination = { readonly name: string; readonly route: Route | null } & ({ readonly topic: string } | { readonly hook: Hook });

const PROJECT = 'laptop';
const SAMPLES = 'config/samples';

/** The queue first, then the routes in the order of the configuration. */
export function destinationsOf({ config }: LocalStack): Destination[] {
  const routes = (config.routes ?? []).flatMap((route): Destination[] => {
    if (route.topic !== null) return [{ name: route.name, route, topic: topicName(route.topic) }];
    return route.hook ? [{ name: route.name, route, hook: route.hook }] : [];
  });
  return [{ name: 'mails', route: null, topic: topicName('mails') }, ...routes];
}

/** The full name of a topic; a short name belongs to the local stack's project. */
const topicName = (topic: string): string => (topic.includes('/') ? topic : `projects/${PROJECT}/topics/${topic}`);

/** The initial event: the route's own sample, or its template's. */
export function sampleFor({ route }: Destination, { config }: LocalStack): string {
  if (!route)
    return json({
      from: config.mailboxes[0]?.address,
      to: 'you@example.net',
      subject: 'From the queue',
      text: 'Published once, sent once.',
    });
  const file = [route.name, route.template].map((name) => join(SAMPLES, `${name}.json`)).find(existsSync);
  return file ? readFileSync(file, 'utf8') : '{}';
}

/** The initial attributes or headers: those that the route's condition compares with a text. */
export function attributesFor({ route }: Destination): Record<string, string> {
  const compared = (route?.when ?? '').matchAll(/\battributes(?:\.(\w+)|\["([\w-]+)"\]) == "([^"\\]*)"/g);
  return Object.fromEntries([...compared].map(([, field, entry, value = '']) => [field ?? entry ?? '', value]));
}

const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** Publishes on a topic by Pub/Sub's own API, as any publisher does; returns the message's id, or the status of the refusal. */
export async function publishSample(
  topic: string,
  data: string,
  attributes: unknown,
  { google }: LocalStack,
): Promise<{ readonly id: string } | { readonly status: number }> {
  const { access_token } = google.oauth.issue('publisher@laptop.iam.gserviceaccount.com', ['https://www.googleapis.com/auth/pubsub']);
  const reply = await fetch(`${google.url}/v1/${topic}:publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${String(access_token)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ data: Buffer.from(data).toString('base64'), attributes }] }),
  });
  const { messageIds = [] } = (await reply.json()) as { messageIds?: string[] };
  return reply.ok ? { id: messageIds[0] ?? '' } : { status: reply.status };
}

/** The headers that the vendor would send with this body; null where only Google can make them. */
export async function proof(hook: Hook, body: Buffer, { google }: LocalStack): Promise<Record<string, string> | null> {
  if (schemeOf(hook).identity) return null;
  const { access_token } = google.oauth.issue('api@laptop.iam.gserviceaccount.com', ['https://www.googleapis.com/auth/cloud-platform']);
  const reply = await fetch(`${google.url}/v1/projects/${PROJECT}/secrets/${hook.secret}/versions/latest:access`, {
    headers: { authorization: `Bearer ${String(access_token)}` },
  });
  const { payload } = (await reply.json()) as { payload?: { data?: string } };
  const [secret = ''] = Buffer.from(payload?.data ?? '', 'base64')
    .toString('utf8')
    .split('\n'); // during a rotation the second line is the next secret
  return signAs(hook, secret.trim(), body, Date.now(), `sample-${randomUUID()}`);
}
