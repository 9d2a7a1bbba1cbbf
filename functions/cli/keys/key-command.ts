import { loadConfig } from '../../config/load-config.ts';
import type { CallerKey } from '../../mail/model/config.ts';
import { type Answer, CONFIG, type Command, type Options } from '../common/command.ts';
import { createKey, type KeyPolicy, revokeKey } from './key.ts';

/** `key create ID`, `key list`, `key revoke ID`: who may call the API. */
export const KEY: Command = {
  summary: 'API keys: create ID, list, revoke ID',
  argument: 'create|list|revoke [ID]',
  help: `  create ID      make a key, write its hash into the config and print it once
    --from ADDRESS   an address it may send from (repeat it, or write commas)
    --to PATTERN     a recipient it may write to, such as *@example.com (by default everyone)
    --per-day N      mails per day (UTC)     --per-minute N   mails per minute
    --expires DATE   last day on which it works, such as 2027-01-31
  list           every key, with what it may do
  revoke ID      take a key out of the config
  --config FILE  config to edit (${CONFIG})
  --dry-run      change nothing
  --json`,
  options: {
    from: { type: 'string', multiple: true },
    to: { type: 'string', multiple: true },
    'per-day': { type: 'string' },
    'per-minute': { type: 'string' },
    expires: { type: 'string' },
    'dry-run': { type: 'boolean' },
  },
  async run(options, verb, id = '', ...more) {
    const file = String(options['config'] ?? CONFIG);
    const dryRun = options['dry-run'] === true;
    if (more.length > 0) throw new Error(`key: ${more.join(' ')}: one ID at a time`);
    if (verb === 'list' && id === '') return list(file);
    if (verb !== 'create' && verb !== 'revoke') throw new Error('key: expected create ID, list or revoke ID');
    if (id === '') throw new Error(`key ${verb}: missing; name the key, for example shop`);
    return verb === 'create' ? create(file, id, options, dryRun) : revoke(file, id, dryRun);
  },
};

function create(file: string, id: string, options: Options, dryRun: boolean): Answer {
  if (!/^[a-z0-9-]{1,40}$/.test(id)) throw new Error('key create: expected an ID of 1 to 40 lower-case letters, digits or "-"');
  const policy: KeyPolicy = {
    from: words(options['from']),
    to: words(options['to']),
    perDay: number(options, 'per-day'),
    perMinute: number(options, 'per-minute'),
    expires: options['expires'] === undefined ? null : String(options['expires']),
  };
  if (policy.from.length === 0) throw new Error('key create: --from ADDRESS is missing; name an address that the key may send from');
  const made = createKey(file, id, policy, { dryRun });
  if (dryRun) return { data: { ...made, key: null }, text: `The key ${id} could be made; nothing was written.` };
  return {
    data: made,
    text: `${made.key}\n\nThis is the only time it is shown: ${file} keeps its hash. Deploy the functions for it to work.`,
  };
}

function revoke(file: string, id: string, dryRun: boolean): Answer {
  const data = revokeKey(file, id, { dryRun });
  const text = dryRun
    ? `The key ${id} could be revoked; nothing was written.`
    : `${id} is out of ${file}. Deploy the functions: until then it works.`;
  return { data, text };
}

function list(file: string): Answer {
  const { keys } = loadConfig(file);
  const data = keys.map(({ sha256: _, ...policy }) => ({
    ...policy,
    expires: policy.expires === undefined ? null : new Date(policy.expires).toISOString(),
  }));
  return { data, text: keys.length > 0 ? keys.map(line).join('\n') : `${file} has no API keys.` };
}

function line({ id, identity, from, to, limits, expires, disabled }: CallerKey): string {
  const limit = [limits?.perDay && `${limits.perDay} a day`, limits?.perMinute && `${limits.perMinute} a minute`].filter(Boolean);
  const parts = [
    id,
    identity && `identity ${identity}`,
    `from ${from?.join(', ') ?? 'everyone'}`,
    to && `to ${to.join(', ')}`,
    limit.length > 0 && `limits ${limit.join(', ')}`,
    expires !== undefined && `ends ${new Date(expires).toISOString().slice(0, 16)}Z`,
    disabled && 'DISABLED',
  ];
  return parts.filter(Boolean).join('  ');
}

const words = (value: Options[string]): string[] =>
  [value ?? []]
    .flat()
    .flatMap((one) => String(one).split(','))
    .map((one) => one.trim())
    .filter(Boolean);

function number(options: Options, name: string): number | null {
  if (options[name] === undefined) return null;
  const value = Number(options[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`key create: --${name}: expected a whole number from 1`);
}
