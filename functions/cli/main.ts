/** `npm run mailgrant -- COMMAND`: arguments in, data from the command, one place that prints. */
import { parseArgs } from 'node:util';
import { ConfigProblems, loadConfig } from '../config/load.ts';
import { buildFunctions } from './build.ts';
import { DOCTOR_HELP, DOCTOR_OPTIONS } from './doctor-options.ts';

type Options = Readonly<Record<string, string | boolean | undefined>>;

interface Command {
  readonly summary: string;
  readonly help: string;
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
  /** Answers data, and how a person reads it. */
  run(options: Options, words: readonly string[]): Promise<Result>;
}

/** What a command found; `ok: false` makes the exit code 1. */
interface Result {
  readonly data: unknown;
  readonly text: string;
  readonly ok?: boolean;
}

const CONFIG = 'config/mailgrant.yaml';
const common = { help: { type: 'boolean' }, json: { type: 'boolean' }, config: { type: 'string' } } as const;

const COMMANDS: Readonly<Record<string, Command>> = {
  build: {
    summary: 'check the config and bundle the functions into dist/',
    help: `  --config FILE  config to embed (${CONFIG})
  --out DIR      where to write (dist)
  --analyze      show what is in each bundle
  --dry-run      check the config, write nothing
  --json`,
    options: { out: { type: 'string' }, analyze: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
    async run(options) {
      const config = String(options['config'] ?? CONFIG);
      if (options['dry-run']) return { data: loadConfig(config), text: `${config} is valid; nothing was written.` };
      const built = await buildFunctions(config, String(options['out'] ?? 'dist'));
      const lines = built.map(({ file, bytes, inputs }) => {
        const parts = options['analyze'] ? inputs.slice(0, 25).map((one) => `\n  ${kilobytes(one.bytes)}  ${one.path}`) : [];
        return `${file}  ${kilobytes(bytes)}${parts.join('')}`;
      });
      return {
        data: built,
        text: `${lines.join('\n')}\nThe config ${config} is inside. Next: serve one with npx functions-framework --source=dist/api --target=api`,
      };
    },
  },
  config: {
    summary: 'check config/mailgrant.yaml and show what it comes to',
    help: `  --config FILE  config to check (${CONFIG})\n  --json`,
    options: {},
    async run(options) {
      const file = String(options['config'] ?? CONFIG);
      const data = loadConfig(file);
      const boxes = data.mailboxes.map(
        ({ address, secret, aliases }) => `  ${address}  secret ${secret}${aliases.length > 0 ? `  aliases ${aliases.join(', ')}` : ''}`,
      );
      const keys = data.keys.map(
        ({ id, from, to }) => `  ${id}  from ${from?.join(', ') ?? 'everyone'}${to ? `  to ${to.join(', ')}` : ''}`,
      );
      return { data, text: [`${file} is valid.`, 'Mailboxes:', ...boxes, keys.length > 0 ? 'Keys:' : 'No API keys.', ...keys].join('\n') };
    },
  },
  watch: {
    summary: 'look at every mailbox: can it send right now?',
    help: `  [ADDRESS]      only this mailbox\n  --project ID   project of the secrets (GOOGLE_CLOUD_PROJECT)\n  --config FILE  (${CONFIG})\n  --json`,
    options: { project: { type: 'string' } },
    async run(options, [address]) {
      const [{ operatorFor }, { watchMailboxes, watchTable }] = await Promise.all([import('./operator.ts'), import('./watch.ts')]);
      const operator = operatorFor(String(options['config'] ?? CONFIG), options['project'] as string | undefined, process.env);
      const data = await watchMailboxes(operator, address);
      return { data, text: watchTable(data), ok: data.every(({ ok }) => ok) };
    },
  },
  doctor: {
    summary: 'find out why mails do not go out, and how to mend it',
    help: DOCTOR_HELP,
    options: DOCTOR_OPTIONS,
    run: async (options, words) =>
      (await import('./doctor-command.ts')).runDoctor(options, words, String(options['config'] ?? CONFIG), process.env),
  },
};

const overview = `npm run mailgrant -- COMMAND [options]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join('\n')}

COMMAND --help says more. Every command takes --json and exits non-zero on failure.`;

async function main([name = '', ...rest]: string[]): Promise<void> {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const asked = name === '' || name === '--help' || name === '-h' || name === 'help';
    (asked ? console.log : console.error)(asked ? overview : `Unknown command: ${name}\n\n${overview}`);
    process.exitCode = asked && name !== '' ? 0 : 2;
    return;
  }
  const { values, positionals } = parseArgs({ args: rest, options: { ...common, ...command.options }, allowPositionals: true });
  if (values['help']) return console.log(`npm run mailgrant -- ${name}: ${command.summary}\n\n${command.help}`);
  const { data, text, ok = true } = await command.run(values, positionals);
  if (!ok) process.exitCode = 1;
  console.log(values['json'] ? JSON.stringify(data, null, 2) : text);
}

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1).padStart(7)} kB`;

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(
    process.argv.includes('--json') && error instanceof ConfigProblems
      ? JSON.stringify({ problems: error.problems }, null, 2)
      : error.message,
  );
  process.exitCode = 1;
});
