import * as z from 'zod';
import { isAddress } from '../mail/address.ts';
import type { Config } from '../mail/config.ts';

const lower = z.string().trim().toLowerCase();
const address = lower.refine(isAddress, { error: 'expected an address such as notices@example.com' });
const pattern = lower.refine((text) => isAddress(text.replace(/^\*@/, 'any@')), {
  error: 'expected an address or a pattern such as *@example.com',
});
// Secret Manager: 1 to 255 letters, digits, hyphens and underscores.
const secretId = z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, { error: 'expected 1 to 255 letters, digits, "-" or "_"' });
const oneLine = z
  .string()
  .max(200)
  .regex(/^[^\r\n\0<>"]*$/, { error: 'expected one line without <, > or "' });
const SERVICE_ACCOUNT = /^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$/;
const missing = { error: ({ input }: { input?: unknown }) => (input === undefined ? 'missing' : undefined) };

/** A setting of the design that this version does not serve yet: refused by name, so that nobody relies on it. */
const only = (served: string, ...planned: string[]) =>
  z
    .enum([served, ...planned])
    .refine((value) => value === served, { error: `this version serves only "${served}"` })
    .default(served);
const notYet = z.undefined({ error: 'not served by this version yet; leave it out' }).optional();

const mailbox = z.strictObject({
  name: oneLine.default(''),
  grant: z.enum(['refresh-token', 'delegation', 'service-account-key']).default('refresh-token'),
  secret: secretId.optional(),
  delegate: lower.regex(SERVICE_ACCOUNT, { error: 'expected the email of a service account' }).optional(),
  via: z.enum(['api', 'smtp']).default('api'),
  aliases: z.array(address).default([]),
  tokens: z.enum(['per-invocation', 'reuse']).default('per-invocation'),
  limits: notYet,
});

const key = z.strictObject({
  sha256: z.string(missing).regex(/^[0-9a-f]{64}$/, { error: 'expected the SHA-256 of the key: 64 lower-case hexadecimal digits' }),
  from: z.array(address, missing).min(1, { error: 'expected at least one address' }),
  to: z.array(pattern).min(1, { error: 'expected at least one pattern, or leave it out for everyone' }).optional(),
  limits: notYet,
});

const file = z.strictObject({
  mailboxes: z
    .record(z.string(), mailbox, missing)
    .refine((all) => Object.keys(all).length > 0, { error: 'expected at least one mailbox' }),
  keys: z.record(z.string(), key).default({}),
  delivery: only('direct', 'queued'),
  ledger: z.strictObject({ addresses: z.enum(['hashed', 'plain']).default('hashed') }).default({ addresses: 'hashed' }),
  routes: notYet,
});

export type Checked =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly string[] };

/** Checks what `config/mailgrant.yaml` holds; answers the config, or every problem at once, each with its path in the file. */
export function checkConfig(value: unknown): Checked {
  const parsed = file.safeParse(value ?? {});
  const names = nameProblems(value);
  if (!parsed.success || names.length > 0)
    return { config: null, problems: [...names, ...(parsed.error?.issues.flatMap(sentences) ?? [])] };
  const { mailboxes, keys, ledger } = parsed.data;
  const config: Config = {
    mailboxes: Object.entries(mailboxes).map(([key, { name, grant, secret, delegate, via, aliases, tokens }]) => {
      const address = key.toLowerCase();
      return { address, name, grant, secret: secret ?? secretFor(address), delegate: delegate ?? '', via, aliases, tokens };
    }),
    keys: Object.entries(keys).map(([id, { sha256, from, to }]) => ({ id, sha256, from, to: to ?? null })),
    ledger,
  };
  const problems = contradictions(config);
  return problems.length > 0 ? { config: null, problems } : { config, problems: [] };
}

/** `mailgrant-` and the address with everything but letters and digits as hyphens; Terraform derives the same. */
export const secretFor = (address: string): string => `mailgrant-${address.replace(/[^a-z0-9]+/g, '-')}`;

/** The names of mailboxes and keys, checked apart: a wrong name shall not hide what is wrong below it. */
function nameProblems(value: unknown): string[] {
  const named = (section: string): string[] => {
    const entries = (value as Record<string, unknown> | null)?.[section];
    return typeof entries === 'object' && entries !== null ? Object.keys(entries) : [];
  };
  return [
    ...named('mailboxes')
      .filter((name) => !isAddress(name))
      .map((name) => `mailboxes.${show(name)}: expected an address such as notices@example.com`),
    ...named('keys')
      .filter((name) => !/^[a-z0-9-]{1,40}$/.test(name))
      .map((name) => `keys.${show(name)}: expected 1 to 40 lower-case letters, digits or "-"`),
  ];
}

const show = (part: PropertyKey): string => (/^[\w-]+$/.test(String(part)) ? String(part) : `"${String(part)}"`);

function sentences(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map(show).join('.');
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => `${at ? `${at}.` : ''}${show(name)}: unknown setting`);
  return [`${at || 'file'}: ${issue.message}`];
}

/** What is right line by line and wrong together. */
function contradictions({ mailboxes, keys }: Config): string[] {
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
      if (owner !== undefined) problems.push(`mailboxes."${address}": ${one} already belongs to ${owner}`);
      owners.set(one, address);
    }
  }
  for (const { id, from } of keys)
    for (const [index, one] of (from ?? []).entries())
      if (!owners.has(one)) problems.push(`keys.${id}.from.${index}: ${one} is no mailbox and no alias of one`);
  const hashes = keys.map(({ sha256 }) => sha256);
  for (const [index, { id, sha256 }] of keys.entries())
    if (hashes.indexOf(sha256) < index) problems.push(`keys.${id}.sha256: the same key as another entry`);
  return problems;
}
