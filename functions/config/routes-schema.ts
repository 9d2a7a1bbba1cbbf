import * as z from 'zod';
import { isRefused, isStructural } from '../mail/message/headers.ts';
import { isAddress, normaliseAddress, parseAddress } from '../mail/model/address.ts';
import { isAmong } from '../mail/model/address-pattern.ts';
import type { Hook, Route } from '../mail/model/route.ts';
import type { Setting } from '../verify/proof/scheme.ts';
import { SCHEMES } from '../verify/schemes/table.ts';
import { looksSecret } from './wording.ts';

const missing = { error: ({ input }: { input?: unknown }) => (input === undefined ? 'missing' : undefined) };
const line = z
  .string(missing)
  .max(2_000)
  .regex(/^[^\r\n\0]*\S[^\r\n\0]*$/, { error: 'expected one non-empty line' });
const lines = z.union([line.transform((one) => [one]), z.array(line).max(50)], {
  error: ({ input }) => (input === undefined ? 'missing' : 'expected a line, or a list of lines'),
});
/** The id of the secret in Secret Manager, which does not show its value. */
export const secretId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,255}$/, {
    error: 'expected the name of a secret in Secret Manager, of letters, digits, "-" or "_"; never the secret itself',
  })
  .refine((text) => !looksSecret(text), {
    error:
      'this looks like the secret itself: store it in Secret Manager, replace it if the file was shared, and give the name of the secret here',
  });
const cel = z.string({ error: 'expected a CEL expression in quotes' }).trim().min(1, { error: 'expected a CEL expression' }).max(4_000);
const header = z.string().regex(/^[A-Za-z0-9-]{1,76}$/, { error: 'expected the name of a header' });
const lowerHeader = header.transform((name) => name.toLowerCase());

// Pub/Sub: a letter, then 2 to 254 letters, digits and - _ . ~ + %, and never "goog" at its start.
const topic = z.string().regex(/^(projects\/[a-z0-9.:-]+\/topics\/)?(?!goog)[A-Za-z][\w.~+%-]{2,254}$/, {
  error: 'expected the id of a Pub/Sub topic, or projects/PROJECT/topics/TOPIC',
});

const UNIT_MS = { m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const;
const EVERY_MAX_MS = 7 * UNIT_MS.d;
const duration = z
  .string({ error: 'expected a time such as 15m, 1h or 1d' })
  .regex(/^[1-9]\d{0,4}[mhd]$/, { error: 'expected a time such as 15m, 1h or 1d' })
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS])
  .refine((ms) => ms <= EVERY_MAX_MS, { error: 'expected at most 7d' });

const from = z
  .string(missing)
  .transform((text) => parseAddress(text))
  .refine((one) => one !== null, { error: 'expected an address such as notices@example.com, or Name <notices@example.com>' })
  .transform((one) => ({ name: one?.name ?? '', address: normaliseAddress(one?.address ?? '') }));
const pattern = z
  .string()
  .trim()
  .toLowerCase()
  .refine((text) => isAddress(text.replace(/^\*@/, 'any@')), { error: 'expected an address or a pattern such as *@example.com' })
  .transform(normaliseAddress);

const template = (whenMissing: typeof missing | object) =>
  z.string(whenMissing).regex(/^[a-z0-9][a-z0-9-]{0,59}$/, { error: 'expected the name of a file in config/templates, without .hbs' });

const SETTINGS = [
  'header',
  'algorithm',
  'encoding',
  'prefix',
  'timestamp',
  'audience',
  'email',
  'rememberFor',
] as const satisfies Setting[];
/** The schemes that a setting is for, by their names in the configuration. */
const takers = (setting: Setting): string =>
  Object.entries(SCHEMES)
    .filter(([, { needs, takes }]) => [...needs, ...takes].includes(setting))
    .map(([name]) => `\`verify: ${name}\``)
    .join(', ');

// One flat object in the file: which setting belongs to which scheme is checked here, so that no setting is ignored.
const hook = z
  .strictObject({
    verify: z.enum(Object.keys(SCHEMES), missing),
    secret: secretId.optional(),
    toleranceSeconds: z.int().min(1).max(86_400).default(300),
    header: lowerHeader.optional(),
    algorithm: z.enum(['sha1', 'sha256', 'sha512']).optional(),
    encoding: z.enum(['hex', 'base64']).optional(),
    prefix: z.string().max(40).optional(),
    timestamp: lowerHeader.optional(),
    rememberFor: duration.optional(),
    audience: line.optional(),
    email: z.string().toLowerCase().refine(isAddress, { error: 'expected the email of a Google identity' }).optional(),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string): void => ctx.addIssue({ code: 'custom', path: [path], message });
    const scheme = SCHEMES[given.verify];
    if (!scheme) return;
    for (const name of SETTINGS) {
      const [there, needed] = [given[name] !== undefined, scheme.needs.includes(name)];
      if (needed && !there) problem(name, `missing; \`verify: ${given.verify}\` needs it`);
      if (there && !needed && !scheme.takes.includes(name)) problem(name, `only for ${takers(name)}`);
    }
    if (scheme.secret && given.secret === undefined) problem('secret', `missing; \`verify: ${given.verify}\` needs it`);
    if (!scheme.secret && given.secret !== undefined) problem('secret', `not with \`verify: ${given.verify}\`, which has none`);
  })
  .transform(({ verify, secret = '', toleranceSeconds, rememberFor, audience, email, ...form }): Hook => {
    const { header = '', algorithm = 'sha256', encoding = 'hex', prefix = '', timestamp } = form;
    return {
      verify,
      secret,
      toleranceSeconds,
      ...(rememberFor !== undefined && { rememberMs: rememberFor }),
      ...(verify === 'hmac' && { hmac: { header, algorithm, encoding, prefix, ...(timestamp && { timestamp }) } }),
      ...(audience && email && { google: { audience, email } }),
    };
  });

const count = z.int().min(1).nullable();
/** The senders of issues or forms decide how many events there are: they must not use up a mailbox's daily limit. */
const ROUTE_PER_DAY = 300;
const limits = z
  .strictObject({ perDay: count.default(ROUTE_PER_DAY), perMinute: count.default(null) })
  .default({ perDay: ROUTE_PER_DAY, perMinute: null });

const route = z
  .strictObject({
    topic: topic.optional(),
    hook: hook.optional(),
    when: cel.optional(),
    from,
    to: lines.refine((all) => all.length > 0, { error: 'expected at least one recipient' }),
    cc: lines.default([]),
    bcc: lines.default([]),
    reply_to: lines.default([]),
    subject: line.optional(),
    headers: z.record(header, line).default({}),
    template: template(missing),
    digest: template({}).default('digest'),
    dedupe: cel.optional(),
    every: duration.optional(),
    limits,
    only: z.array(pattern).min(1, { error: 'expected at least one pattern, or leave it out for everyone' }).optional(),
  })
  .refine(({ topic, hook }) => (topic === undefined) !== (hook === undefined), { error: 'expected a topic or a hook, one of the two' });

/** The schema of `routes:`. */
export const routes = z.record(z.string(), route).default({});

/** The routes with every default filled in. */
export function routesOf(given: z.output<typeof routes>): Route[] {
  return Object.entries(given).map(([name, { topic, hook, when, reply_to, subject, dedupe, every, only, ...rest }]) => ({
    name,
    topic: topic ?? null,
    hook: hook ?? null,
    when: when ?? null,
    ...rest,
    replyTo: reply_to,
    subject: subject ?? null,
    dedupe: dedupe ?? null,
    everyMs: every ?? null,
    only: only ?? null,
  }));
}

/** Routes that no caller may send for, or whose emails would always fail: everything outside templates is known now. */
export function routeContradictions(routes: readonly Route[], owners: ReadonlyMap<string, string>): string[] {
  return routes.flatMap((route) =>
    [
      ...(owners.has(route.from.address) ? [] : [`from: ${route.from.address} is no mailbox and no alias of one`]),
      ...(['to', 'cc', 'bcc'] as const).flatMap((field) => wrongPeople(field, route[field], route.only)),
      ...wrongPeople('reply_to', route.replyTo, null),
      ...Object.keys(route.headers)
        .filter((name) => isStructural(name) || isRefused(name))
        .map((name) => `headers.${name}: mailgrant writes this header itself; from, to, cc, bcc, reply_to and subject are settings`),
    ].map((problem) => `routes.${route.name}.${problem}`),
  );
}

function wrongPeople(field: string, people: readonly string[], only: readonly string[] | null): string[] {
  return people.flatMap((text, index) => {
    if (text.includes('{{')) return [];
    const address = parseAddress(text)?.address;
    if (address === undefined)
      return [`${field}.${index}: expected an address such as dev@example.com, or Name <dev@example.com>; several are a list`];
    return only && !isAmong(only, address) ? [`${field}.${index}: ${address} is not among \`only\` of the route`] : [];
  });
}
