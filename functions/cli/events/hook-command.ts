import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../config/load-config.ts';
import type { Hook } from '../../mail/model/route.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { signAs } from '../../verify/sign.ts';
import { schemeOf, secretsIn } from '../../verify/verify.ts';
import type { CommandAnswer, CommandOptions, Group } from '../common/command.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { laptopHooks } from '../common/running-laptop.ts';

const LAPTOP_URL = 'http://127.0.0.1:8082';
const LAPTOP_SECRETS = '.mailgrant/hook-secrets';

/** `hook sign ROUTE`: makes the headers that a vendor would send, for trying a route. */
export const HOOK: Group = {
  summary: 'webhooks: sign a sample event',
  commands: {
    sign: {
      summary: 'sign a sample event as a vendor would, and print the curl',
      arguments: '<ROUTE>',
      options: {
        event: { value: 'FILE', about: 'the body, sent byte for byte as it stands in the file' },
        'secret-file': { value: 'FILE', about: "the vendor's signing secret (the one that npx mailgrant dev made for the route)" },
        url: { value: 'URL', about: `the function hooks (the one of npx mailgrant dev, or ${LAPTOP_URL})` },
        header: { value: 'NAME: VALUE', many: true, about: "one more header, such as 'X-GitHub-Event: release' (repeat it)" },
        'event-id': { value: 'ID', about: 'for schemes that sign one (made up)' },
      },
      examples: ["hook sign releases --event release.json --header 'X-GitHub-Event: release'"],
      notes: 'The signature holds for the tolerance of the route, 5 minutes by default. No secret is printed.',
      run: signed,
    },
  },
};

async function signed(options: CommandOptions, name = ''): Promise<CommandAnswer> {
  const file = options['event'];
  if (file === undefined) throw new CommandError('option_invalid', '--event FILE is missing; name a file with the body of an event');
  const hook = hookOf(configFile(options), name);
  const body = read('--event', String(file));
  const secretFile = String(options['secret-file'] ?? join(LAPTOP_SECRETS, hook.secret));
  const url = `${hooksUrl(options['url']).replace(/\/+$/, '')}/hooks/${name}`;
  const headers = await headersOf(hook, secretFile, body, String(options['event-id'] ?? `sample-${randomUUID()}`));
  return answerOf(url, { 'Content-Type': 'application/json', ...extraIn(options['header']), ...headers }, String(file));
}

/** The function's base URL: as given, or that of the local stack that runs in this project, or its default. */
function hooksUrl(given: CommandOptions[string]): string {
  if (given !== undefined) return String(given);
  const running = laptopHooks();
  if (running !== null) return running ?? LAPTOP_URL;
  throw new CommandError(
    'hooks_not_served',
    'the local stack that runs here serves no webhooks: its config had no route with a hook when it started',
  );
}

/** Headers as given on the command line. */
function extraIn(given: CommandOptions[string]): Record<string, string> {
  return Object.fromEntries(
    [given ?? []].flat().map((one) => {
      const [, name, value] = /^([!-9;-~]+):\s*(\S.*)$/.exec(String(one)) ?? [];
      if (!name || !value) throw new CommandError('option_invalid', `--header ${String(one)}: expected a name, a colon and a value`);
      return [name, value];
    }),
  );
}

function hookOf(config: string, name: string): Hook {
  const routes = (loadConfig(config).routes ?? []).filter(({ hook }) => hook !== null);
  const hook = routes.find((route) => route.name === name)?.hook;
  if (hook) return hook;
  const names = routes.map((route) => route.name).join(', ');
  throw new CommandError('route_missing', `${config} has no route ${name} with a hook${names ? `; it has ${names}` : ''}`);
}

async function headersOf(hook: Hook, secretFile: string, body: Buffer, eventId: string): Promise<Record<string, string>> {
  const scheme = schemeOf(hook);
  if (scheme.identity) return { Authorization: `Bearer $(gcloud auth print-identity-token --audiences=${hook.google?.audience ?? ''})` };
  if (!existsSync(secretFile))
    throw new CommandError('input_unreadable', `${secretFile} is missing; run npx mailgrant dev, or name the secret with --secret-file`);
  // The proof is the shared token itself: the shell reads it from a file, so that it is not shown.
  if (scheme.secret?.shell) return scheme.secret.shell(quoted(secretFile));
  const [secret = ''] = secretsIn(new SecretString(read('--secret-file', secretFile).toString('utf8')));
  return signAs(hook, secret, body, Date.now(), eventId);
}

function answerOf(url: string, headers: Readonly<Record<string, string>>, file: string): CommandAnswer {
  const lines = Object.entries(headers).map(
    ([name, value]) => `  -H ${value.includes('$(') ? `"${name}: ${value}"` : quoted(`${name}: ${value}`)}`,
  );
  const curl = [`curl -i ${quoted(url)}`, ...lines, `  --data-binary @${quoted(file)}`].join(' \\\n');
  return { data: { url, headers, body: file, curl }, text: curl };
}

const quoted = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

function read(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandError('input_unreadable', `${option} ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}
