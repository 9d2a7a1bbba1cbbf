import { loadConfig } from '../../config/load-config.ts';
import type { CallerKey } from '../../mail/model/config.ts';
import { type CommandAnswer, type CommandOptions, DRY_RUN, type Group } from '../common/command.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { createKey, type KeyPolicy, revokeKey } from './key.ts';

/** `key create ID`, `key list`, `key revoke ID`: the API keys. */
export const KEY: Group = {
  summary: 'API keys: create, list, revoke',
  commands: {
    create: {
      summary: 'make a key, write its hash into the config and print it once',
      arguments: '<ID>',
      options: {
        from: { value: 'ADDRESS', many: true, about: 'an address it may send from (repeat it, or write commas)' },
        to: { value: 'PATTERN', many: true, about: 'a recipient it may write to, such as *@example.com (by default everyone)' },
        'per-day': { value: 'N', about: 'emails per day (UTC)' },
        'per-minute': { value: 'N', about: 'emails per minute' },
        expires: { value: 'DATE', about: 'last day on which it works, such as 2027-01-31' },
        ...DRY_RUN,
      },
      examples: [
        'key create shop --from notices@example.com',
        "key create shop --from notices@example.com --to '*@example.com' --per-day 500",
      ],
      run: async (options, id = '') => create(configFile(options), id, options, options['dry-run'] === true),
    },
    list: {
      summary: 'every key, with what it may do',
      examples: ['key list'],
      run: async (options) => list(configFile(options)),
    },
    revoke: {
      summary: 'take a key out of the config',
      arguments: '<ID>',
      options: DRY_RUN,
      examples: ['key revoke shop'],
      run: async (options, id = '') => revoke(configFile(options), id, options['dry-run'] === true),
    },
  },
};

function create(file: string, id: string, options: CommandOptions, dryRun: boolean): CommandAnswer {
  if (!/^[a-z0-9-]{1,40}$/.test(id))
    throw new CommandError('option_invalid', 'expected an ID of 1 to 40 lower-case letters, digits or "-"');
  const policy: KeyPolicy = {
    from: words(options['from']),
    to: words(options['to']),
    perDay: number(options, 'per-day'),
    perMinute: number(options, 'per-minute'),
    expires: options['expires'] === undefined ? null : String(options['expires']),
  };
  if (policy.from.length === 0)
    throw new CommandError('option_invalid', '--from ADDRESS is missing; name an address that the key may send from');
  // A day of the wrong form is named by the check of the config.
  if (policy.expires !== null && Date.parse(policy.expires) + DAY_MS <= Date.now())
    throw new CommandError('option_invalid', `--expires: ${policy.expires} is over, so the key would never work`);
  const made = createKey(file, id, policy, { dryRun });
  if (dryRun) return { data: { ...made, key: null }, text: `The key ${id} could be made; nothing was written.` };
  return {
    data: made,
    text: `${made.key}\n\nThis is the only time it is shown: ${file} keeps its hash. Deploy the functions for it to work.`,
  };
}

const DAY_MS = 86_400_000;

function revoke(file: string, id: string, dryRun: boolean): CommandAnswer {
  const data = revokeKey(file, id, { dryRun });
  const text = dryRun
    ? `The key ${id} could be revoked; nothing was written.`
    : `${id} is out of ${file}. Deploy the functions: until then it works.`;
  return { data, text };
}

function list(file: string): CommandAnswer {
  const { keys } = loadConfig(file);
  const policies = keys.map(({ sha256: _, ...policy }) => ({
    ...policy,
    expires: policy.expires === undefined ? null : new Date(policy.expires).toISOString(),
  }));
  return { data: { keys: policies }, text: keys.length > 0 ? keys.map(line).join('\n') : `${file} has no API keys.` };
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

const words = (value: CommandOptions[string]): string[] =>
  [value ?? []]
    .flat()
    .flatMap((one) => String(one).split(','))
    .map((one) => one.trim())
    .filter(Boolean);

function number(options: CommandOptions, name: string): number | null {
  if (options[name] === undefined) return null;
  const value = Number(options[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new CommandError('option_invalid', `--${name}: expected a whole number from 1`);
}
