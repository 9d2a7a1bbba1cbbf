import * as z from 'zod';
import { isAddress, normaliseAddress } from '../mail/model/address.ts';
import { RESERVED } from '../mail/model/caller.ts';
import type { CallerKey, Config, Limits } from '../mail/model/config.ts';
import { documentsOf, documentsSchema, strayDocuments } from './documents-schema.ts';
import { eventContradictions, eventsOf, eventsSchema } from './events-schema.ts';
import { secretId } from './hook-schema.ts';
import { routeContradictions, routes, routesOf } from './routes-schema.ts';
import { sentencesOf, show } from './wording.ts';

const lower = z.string().trim().toLowerCase();
const address = lower.refine(isAddress, { error: 'expected an address such as notices@example.com' }).transform(normaliseAddress);
const pattern = lower
  .refine((text) => isAddress(text.replace(/^\*@/, 'any@')), { error: 'expected an address or a pattern such as *@example.com' })
  .transform(normaliseAddress);
// Secret Manager: 1 to 255 letters, digits, hyphens and underscores.
const oneLine = z
  .string()
  .max(200)
  .regex(/^[^\r\n\0<>"]*$/, { error: 'expected one line without <, > or "' });
const SERVICE_ACCOUNT = /^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$/;
const missing = { error: ({ input }: { input?: unknown }) => (input === undefined ? 'missing' : undefined) };

const count = z.int({ error: 'expected a whole number' }).min(1, { error: 'expected 1 or more' });
const givenLimits = z
  .strictObject({ perDay: count.nullable().optional(), perMinute: count.nullable().optional() })
  .refine(({ perDay, perMinute }) => perDay !== undefined || perMinute !== undefined, { error: 'expected perDay, perMinute or both' });
const limits = givenLimits.transform(({ perDay = null, perMinute = null }): Limits => ({ perDay, perMinute })).optional();
// The last day on which the key is valid, in UTC.
const day = z
  .string({ error: 'expected a date such as 2027-01-31' })
  .refine((text) => /^\d{4}-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00Z`).toJSON()?.startsWith(text), {
    error: 'expected a date such as 2027-01-31',
  });
const host = lower.regex(/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z][a-z0-9-]*$/, { error: 'expected a host name such as cdn.example.com' });

const mailbox = z.strictObject({
  name: oneLine.default(''),
  grant: z.enum(['refresh-token', 'delegation', 'service-account-key']).default('refresh-token'),
  secret: secretId.optional(),
  delegate: lower.regex(SERVICE_ACCOUNT, { error: 'expected the email of a service account' }).optional(),
  via: z.enum(['api', 'smtp']).default('api'),
  aliases: z.array(address).default([]),
  tokens: z.enum(['per-invocation', 'reuse']).default('per-invocation'),
  rotates: z.boolean().optional(), // for Terraform: the functions may store a refresh token that Google replaced
  limits: givenLimits.optional(),
  bounces: z.boolean().default(false),
});

const DAYS_MAX = 365;
const suppressed = z
  .string({ error: 'expected a time in days such as 90d' })
  .regex(/^[1-9]\d{0,3}d$/, { error: 'expected a time in days such as 90d' })
  .transform((text) => Number(text.slice(0, -1)))
  .refine((days) => days <= DAYS_MAX, { error: `expected at most ${DAYS_MAX}d` });

const key = z.strictObject({
  sha256: z
    .string(missing)
    .regex(/^[0-9a-f]{64}$/, {
      error: 'expected the SHA-256 of the key, 64 lower-case hexadecimal digits, never the key itself: `mailgrant key create` prints both',
    })
    .optional(),
  identity: lower.refine(isAddress, { error: 'expected the email of a Google identity' }).optional(),
  from: z.array(address, missing).min(1, { error: 'expected at least one address' }),
  to: z.array(pattern).min(1, { error: 'expected at least one pattern, or leave it out for everyone' }).optional(),
  limits,
  expires: day.optional(),
  disabled: z.boolean().default(false),
});

const file = z.strictObject({
  mailboxes: z
    .record(z.string(), mailbox, missing)
    .refine((all) => Object.keys(all).length > 0, { error: 'expected at least one mailbox' }),
  keys: z.record(z.string(), key).default({}),
  delivery: z.enum(['direct', 'queued']).default('direct'),
  ledger: z.strictObject({ addresses: z.enum(['hashed', 'plain']).default('hashed') }).default({ addresses: 'hashed' }),
  attachments: z.strictObject({ fetchFrom: z.array(host) }).optional(),
  routes,
  events: eventsSchema,
  suppress: z.strictObject({ bounced: suppressed }).optional(),
  documents: documentsSchema({ address, pattern, limits }).optional(),
});

export type Checked =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly string[] };

/**
 * Checks the content of `config/mailgrant.yaml`; returns the configuration, or every problem at once, each with its path in the
 * file.
 */
export function checkConfig(value: unknown): Checked {
  const parsed = file.safeParse(value ?? {});
  const names = nameProblems(value);
  if (!parsed.success || names.length > 0)
    return { config: null, problems: [...names, ...(parsed.error?.issues.flatMap((issue) => sentencesOf(issue, file)) ?? [])] };
  const { mailboxes, keys, delivery, ledger, attachments, routes, events, suppress, documents } = parsed.data;
  const config: Config = {
    mailboxes: Object.entries(mailboxes).map(([key, { secret, delegate, limits, rotates: _, bounces, ...box }]) => {
      const address = normaliseAddress(key);
      return {
        address,
        ...box,
        secret: secret ?? secretFor(key.toLowerCase()),
        delegate: delegate ?? '',
        limits: mailboxLimits(address, limits),
        ...(bounces && { bounces }),
      };
    }),
    keys: Object.entries(keys).map(keyOf),
    delivery,
    ledger,
    ...(attachments && { attachments }),
    ...(documents && { documents: documentsOf(documents) }),
    ...(Object.keys(routes).length > 0 && { routes: routesOf(routes) }),
    ...(events && Object.keys(events).length > 0 && { events: eventsOf(events) }),
    ...(suppress && { suppress: { bouncedMs: suppress.bounced * DAY_MS } }),
  };
  const problems = contradictions(config);
  return problems.length > 0 ? { config: null, problems } : { config, problems: [] };
}

// Gmail counts 2,000 emails (gmail.com: 500) in any 24 hours and then locks the mailbox for up to a day, also for the person who
// owns it: so the default is four fifths of that. An email over the limit of a minute is only refused, so Gmail keeps that limit.
// Sources: support.google.com/a/answer/166852, support.google.com/mail/answer/22839; see docs/decisions/033.
const PER_DAY = { workspace: 1_600, consumer: 400 };

/** `perDay: null` means no limit; without `perDay` the default applies. */
function mailboxLimits(address: string, { perDay, perMinute }: z.output<typeof givenLimits> = {}): Limits {
  const usual = /@(gmail|googlemail)\.com$/.test(address) ? PER_DAY.consumer : PER_DAY.workspace;
  return { perDay: perDay === undefined ? usual : perDay, perMinute: perMinute ?? null };
}

const DAY_MS = 24 * 60 * 60_000;

function keyOf([id, { sha256, identity, from, to, limits, expires, disabled }]: [string, z.output<typeof key>]): CallerKey {
  const rest = { ...(identity && { identity }), ...(limits && { limits }), ...(disabled && { disabled }) };
  return { id, sha256: sha256 ?? '', from, to: to ?? null, ...rest, ...(expires && { expires: Date.parse(expires) + DAY_MS }) };
}

/** `mailgrant-` and the address with everything but letters and digits as hyphens; Terraform derives the same name. */
export const secretFor = (address: string): string => `mailgrant-${address.replace(/[^a-z0-9]+/g, '-')}`;

/** The names of mailboxes, keys and routes, checked separately: a wrong name must not hide the problems below it. */
function nameProblems(value: unknown): string[] {
  const named = (section: string): string[] => {
    const entries = (value as Record<string, unknown> | null)?.[section];
    return typeof entries === 'object' && entries !== null ? Object.keys(entries) : [];
  };
  return [
    ...named('mailboxes')
      .filter((name) => !isAddress(name))
      .map((name) => `mailboxes.${show(name)}: expected an address such as notices@example.com`),
    ...(['keys', 'routes', 'events'] as const).flatMap((section) =>
      named(section)
        .filter((name) => !/^[a-z0-9-]{1,40}$/.test(name))
        .map((name) => `${section}.${show(name)}: expected 1 to 40 lower-case letters, digits or "-"`),
    ),
  ];
}

/** Settings that are valid on their own and contradict each other. */
function contradictions(config: Config): string[] {
  const { mailboxes, keys, routes, documents } = config;
  const owners = new Map<string, string>();
  const problems: string[] = [];
  for (const { address, aliases, grant, delegate } of mailboxes) {
    if (grant === 'delegation' && !delegate)
      problems.push(`mailboxes."${address}".delegate: missing; name the service account that signs for the delegation`);
    if (grant !== 'delegation' && delegate) problems.push(`mailboxes."${address}".delegate: only for grant: delegation`);
    if (grant !== 'refresh-token' && /@(gmail|googlemail)\.com$/.test(address))
      problems.push(`mailboxes."${address}".grant: Google delegates only Workspace mailboxes, never gmail.com`);
    for (const one of [address, ...aliases]) {
      const owner = owners.get(one);
      if (owner !== undefined)
        problems.push(
          owner === address
            ? `mailboxes."${address}": ${one === address ? 'it stands twice in the file, in two spellings' : `its alias ${one} stands twice`}; keep one`
            : `mailboxes."${address}": ${one} already belongs to ${owner}; leave it in one of the two`,
        );
      owners.set(one, address);
    }
  }
  problems.push(...sharedSecrets(mailboxes, routes ?? []));
  for (const { id } of keys) if (RESERVED.includes(id)) problems.push(`keys.${id}: taken; it is the name of callers without a key`);
  for (const { id, from } of keys)
    for (const [index, one] of (from ?? []).entries())
      if (!owners.has(one)) problems.push(`keys.${id}.from.${index}: ${one} is no mailbox and no alias of one`);
  problems.push(...strayDocuments(documents, owners));
  for (const name of ['sha256', 'identity'] as const) {
    const all = keys.map((key) => key[name] || Symbol(name));
    for (const [index, { id }] of keys.entries())
      if (all.indexOf(all[index] as string) < index) problems.push(`keys.${id}.${name}: the same key as another entry`);
  }
  for (const { id, sha256, identity } of keys)
    if (sha256 === '' ? identity === undefined : identity !== undefined)
      problems.push(
        `keys.${id}.sha256: ${sha256 === '' ? 'missing; or name an identity in its place' : 'not beside an identity: one or the other'}`,
      );
  return [...problems, ...routeContradictions(routes ?? [], owners), ...eventContradictions(config)];
}

/** Two grants in one secret: the second consent would replace the first one. Mailboxes may share the key of a service account. */
function sharedSecrets(mailboxes: Config['mailboxes'], routes: NonNullable<Config['routes']>): string[] {
  const grants = mailboxes.filter(({ grant }) => grant !== 'delegation');
  const hooks = routes.filter(({ hook }) => hook !== null && grants.some(({ secret }) => secret === hook.secret));
  const twice = grants.flatMap(({ address, secret, grant }, index) => {
    const other = grants
      .slice(0, index)
      .find((one) => one.address !== address && one.secret === secret && (one.grant === 'refresh-token' || grant === 'refresh-token'));
    return other
      ? [
          `mailboxes."${address}".secret: ${secret} is the secret of ${other.address} too, and holds one grant; give one of them a name of its own`,
        ]
      : [];
  });
  return [...twice, ...hooks.map(({ name, hook }) => `routes.${name}.hook.secret: ${hook?.secret} is the secret of a mailbox`)];
}
