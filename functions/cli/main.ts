/** `npm run mailgrant -- COMMAND`: arguments in, data from the command, one place that prints. */
import { parseArgs } from 'node:util';
import { ConfigProblems } from '../config/load.ts';
import { BUILD } from './build-command.ts';
import type { Command } from './command.ts';
import { CONFIG_CHECK } from './config-command.ts';
import { KEY } from './key-command.ts';
import { SEND } from './send-command.ts';
import { SMTP } from './smtp-command.ts';

const common = { help: { type: 'boolean' }, json: { type: 'boolean' }, config: { type: 'string' } } as const;

const COMMANDS: Readonly<Record<string, Command>> = {
  build: BUILD,
  config: CONFIG_CHECK,
  key: KEY,
  send: SEND,
  smtp: SMTP,
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
  const { values, positionals } = parseArgs({
    args: rest,
    options: { ...common, ...command.options },
    allowPositionals: command.argument !== undefined,
  });
  if (values['help'])
    return console.log(`npm run mailgrant -- ${[name, command.argument].join(' ').trim()}: ${command.summary}\n\n${command.help}`);
  const { data, text, exitCode = 0 } = await command.run(values, ...positionals);
  console.log(values['json'] ? JSON.stringify(data, null, 2) : text);
  process.exitCode = exitCode;
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(
    process.argv.includes('--json') && error instanceof ConfigProblems
      ? JSON.stringify({ problems: error.problems }, null, 2)
      : error.message,
  );
  process.exitCode = 1;
});
