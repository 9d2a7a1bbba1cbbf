/** `npx mailgrant COMMAND`: arguments in, data from the command, one place that prints. */
import { parseArgs } from 'node:util';
import { ConfigProblems } from '../config/config-problems.ts';
import type { Command } from './common/command.ts';

const common = { help: { type: 'boolean' }, json: { type: 'boolean' }, config: { type: 'string' } } as const;

/** Loaded when asked for: a command pays only for what it needs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  build: async () => (await import('./deploy/build-command.ts')).BUILD,
  config: async () => (await import('./deploy/config-command.ts')).CONFIG_CHECK,
  explain: async () => (await import('./explain/explain-command.ts')).EXPLAIN,
  doctor: async () => (await import('./doctor/doctor-command.ts')).DOCTOR,
  watch: async () => (await import('./doctor/watch-command.ts')).WATCH,
  docs: async () => (await import('./explain/docs-command.ts')).DOCS,
  authorize: async () => (await import('./grants/grant-commands.ts')).AUTHORIZE,
  rotate: async () => (await import('./grants/grant-commands.ts')).ROTATE,
  revoke: async () => (await import('./grants/grant-commands.ts')).REVOKE,
  ledger: async () => (await import('./ledger/ledger-command.ts')).LEDGER,
  dead: async () => (await import('./ledger/dead-letters-command.ts')).DEAD,
  'test-route': async () => (await import('./events/test-route-command.ts')).TEST_ROUTE,
  preview: async () => (await import('./events/preview-command.ts')).PREVIEW,
  key: async () => (await import('./keys/key-command.ts')).KEY,
  hook: async () => (await import('./events/hook-command.ts')).HOOK,
  send: async () => (await import('./send/send-command.ts')).SEND,
  deploy: async () => (await import('./deploy/deploy-command.ts')).DEPLOY,
  smoke: async () => (await import('./deploy/smoke-command.ts')).SMOKE,
  smtp: async () => (await import('./smtp/smtp-command.ts')).SMTP,
};

async function overview(): Promise<string> {
  const lines = Object.entries(COMMANDS).map(async ([name, load]) => `  ${name.padEnd(10)} ${(await load()).summary}`);
  return `npx mailgrant COMMAND [options]

${(await Promise.all(lines)).join('\n')}

COMMAND --help says more. Every command takes --json and exits non-zero on failure.`;
}

async function main([name = '', ...rest]: string[]): Promise<void> {
  const command = Object.hasOwn(COMMANDS, name) ? await COMMANDS[name]?.() : undefined;
  if (!command) {
    const asked = name === '' || name === '--help' || name === '-h' || name === 'help';
    (asked ? console.log : console.error)(asked ? await overview() : `Unknown command: ${name}\n\n${await overview()}`);
    process.exitCode = asked && name !== '' ? 0 : 2;
    return;
  }
  const { values, positionals } = parseArgs({
    args: rest,
    options: { ...common, ...command.options },
    allowPositionals: command.argument !== undefined,
  });
  if (values['help'])
    return console.log(`npx mailgrant ${[name, command.argument].join(' ').trim()}: ${command.summary}\n\n${command.help}`);
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
