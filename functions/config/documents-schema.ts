import * as z from 'zod';
import { isAddress, normaliseAddress } from '../mail/model/address.ts';
import type { DocumentsConfig } from '../mail/model/config.ts';

// No part may be `.` or `..`.
const PATH = /^(?!(?:.*\/)?\.{1,2}(?:\/|$))(?:[\w.-]+|\{\w+\})(?:\/(?:[\w.-]+|\{\w+\}))*$/;
const collection = z
  .string({ error: ({ input }) => (input === undefined ? 'missing' : undefined) })
  .refine((path) => PATH.test(path) && path.split('/').length % 2 === 1, {
    error: 'expected the path of a collection, such as mail or tenants/{tenant}/mail',
  });

/** Fields that other settings share. */
interface Shared<Limits extends z.ZodType> {
  readonly address: z.ZodType<string>;
  readonly pattern: z.ZodType<string>;
  readonly limits: Limits;
}

/** `documents:` of the configuration: which collection holds emails, and what those emails may be. */
export const documentsSchema = <Limits extends z.ZodType>({ address, pattern, limits }: Shared<Limits>) =>
  z.strictObject({
    collection,
    // Firestore: 4 to 63 letters, digits and hyphens, or the default one.
    database: z
      .string()
      .regex(/^(?:\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/, { error: 'expected the id of a Firestore database' })
      .default('(default)'),
    from: z.union([address.transform((one) => [one]), z.array(address).min(1, { error: 'expected at least one address' })], {
      error: ({ input }) => (input === undefined ? 'missing' : 'expected an address such as notices@example.com, or a list of them'),
    }),
    replyTo: z
      .string()
      .trim()
      .refine(isAddress, { error: 'expected an address such as help@example.com' })
      .transform(normaliseAddress)
      .optional(),
    users: z
      .string()
      .refine((path) => /^[\w.-]+(?:\/[\w.-]+)*$/.test(path) && path.split('/').length % 2 === 1, {
        error: 'expected the path of a collection, such as users',
      })
      .optional(),
    to: z.array(pattern).min(1, { error: 'expected at least one pattern, or leave it out for everyone' }).optional(),
    limits,
    expireDays: z.int({ error: 'expected a whole number' }).min(1, { error: 'expected 1 or more' }).optional(),
  });

type Given = Omit<DocumentsConfig, 'replyTo' | 'users' | 'to' | 'limits' | 'expireDays'> & {
  readonly [name in 'replyTo' | 'users' | 'to' | 'limits' | 'expireDays']?: DocumentsConfig[name] | undefined;
};

/** The setting as the functions read it. */
export function documentsOf({ replyTo, users, to, limits, expireDays, ...rest }: Given): DocumentsConfig {
  return {
    ...rest,
    ...(replyTo && { replyTo }),
    ...(users && { users }),
    ...(to && { to }),
    ...(limits && { limits }),
    ...(expireDays && { expireDays }),
  };
}

/** Addresses that no mailbox has. */
export function strayDocuments(documents: DocumentsConfig | undefined, owners: ReadonlyMap<string, string>): string[] {
  return (documents?.from ?? []).flatMap((one) => (owners.has(one) ? [] : [`documents.from: ${one} is no mailbox and no alias of one`]));
}
