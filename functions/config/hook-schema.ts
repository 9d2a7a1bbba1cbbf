import * as z from 'zod';
import { isAddress } from '../mail/model/address.ts';
import type { Hook } from '../mail/model/route.ts';
import type { Scheme, Setting } from '../verify/proof/scheme.ts';
import { looksSecret } from './wording.ts';

export const missing = { error: ({ input }: { input?: unknown }) => (input === undefined ? 'missing' : undefined) };
export const line = z
  .string(missing)
  .max(2_000)
  .regex(/^[^\r\n\0]*\S[^\r\n\0]*$/, { error: 'expected one non-empty line' });
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
export const header = z.string().regex(/^[A-Za-z0-9-]{1,76}$/, { error: 'expected the name of a header' });
const lowerHeader = header.transform((name) => name.toLowerCase());

const UNIT_MS = { m: 60_000, h: 60 * 60_000, d: 24 * 60 * 60_000 } as const;
const EVERY_MAX_MS = 7 * UNIT_MS.d;
export const timeSpan = z
  .string({ error: 'expected a time such as 15m, 1h or 1d' })
  .regex(/^[1-9]\d{0,4}[mhd]$/, { error: 'expected a time such as 15m, 1h or 1d' })
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS])
  .refine((ms) => ms <= EVERY_MAX_MS, { error: 'expected at most 7d' });

type Schemes = Readonly<Record<string, Scheme>>;

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
const takers = (schemes: Schemes, setting: Setting): string =>
  Object.entries(schemes)
    .filter(([, { needs, takes }]) => [...needs, ...takes].includes(setting))
    .map(([name]) => `\`verify: ${name}\``)
    .join(', ');

/**
 * The schema of a `hook`. One flat object in the file: which setting belongs to which scheme is checked here, and every setting that a
 * scheme needs or takes reaches its `Hook`.
 */
export const hookSchema = (schemes: Schemes) =>
  z
    .strictObject({
      verify: z.enum(Object.keys(schemes), missing),
      secret: secretId.optional(),
      toleranceSeconds: z.int().min(1).max(86_400).default(300),
      header: lowerHeader.optional(),
      algorithm: z.enum(['sha1', 'sha256', 'sha512']).optional(),
      encoding: z.enum(['hex', 'base64']).optional(),
      prefix: z.string().max(40).optional(),
      timestamp: lowerHeader.optional(),
      rememberFor: timeSpan.optional(),
      audience: line.optional(),
      email: z.string().toLowerCase().refine(isAddress, { error: 'expected the email of a Google identity' }).optional(),
    })
    .superRefine((given, ctx) => {
      const problem = (path: string, message: string): void => ctx.addIssue({ code: 'custom', path: [path], message });
      const scheme = schemes[given.verify];
      if (!scheme) return;
      for (const name of SETTINGS) {
        const [there, needed] = [given[name] !== undefined, scheme.needs.includes(name)];
        if (needed && !there) problem(name, `missing; \`verify: ${given.verify}\` needs it`);
        if (there && !needed && !scheme.takes.includes(name)) problem(name, `only for ${takers(schemes, name)}`);
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
        ...(Object.values(form).some((one) => one !== undefined) && {
          hmac: { header, algorithm, encoding, prefix, ...(timestamp && { timestamp }) },
        }),
        ...((audience ?? email) !== undefined && { google: { audience: audience ?? '', email: email ?? '' } }),
      };
    });
