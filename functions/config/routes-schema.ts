import * as z from 'zod';
import { isRefused, isStructural } from '../mail/message/headers.ts';
import { isAddress, normaliseAddress, parseAddress } from '../mail/model/address.ts';
import { isAmong } from '../mail/model/address-pattern.ts';
import type { Route } from '../mail/model/route.ts';
import { SCHEMES } from '../verify/schemes/table.ts';
import { header, hookSchema, line, missing, timeSpan } from './hook-schema.ts';

const lines = z.union([line.transform((one) => [one]), z.array(line).max(50)], {
  error: ({ input }) => (input === undefined ? 'missing' : 'expected a line, or a list of lines'),
});
const cel = z.string({ error: 'expected a CEL expression in quotes' }).trim().min(1, { error: 'expected a CEL expression' }).max(4_000);

// Pub/Sub: a letter, then 2 to 254 letters, digits and - _ . ~ + %, and never "goog" at its start.
const topic = z.string().regex(/^(projects\/[a-z0-9.:-]+\/topics\/)?(?!goog)[A-Za-z][\w.~+%-]{2,254}$/, {
  error: 'expected the id of a Pub/Sub topic, or projects/PROJECT/topics/TOPIC',
});

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

const hook = hookSchema(SCHEMES);

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
    every: timeSpan.optional(),
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
