/** `npx mailgrant COMMAND`: arguments in, data from the command, one place that prints. */
import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { type CommandTable, parseCommandLine } from './command-line.ts';
import { answering } from './common/answering.ts';
import type { Answer, Problem } from './common/command.ts';
import { packageFile } from './common/package-files.ts';
import { projectFolder } from './common/project-folder.ts';
import { CommandError } from './common/refusal.ts';
import { laptopVariables, meansLaptop } from './common/running-laptop.ts';

const START = 'Start:';
const SEND = 'Send:';
const DEPLOY = 'Deploy:';
const GRANTS = 'Mailboxes and keys:';
const LOOK = 'What happened, and why:';
const EVENTS = 'Events:';

/** Loaded when asked for: a command pays only for what it needs. */
const COMMANDS: CommandTable = {
  init: {
    under: START,
    summary: 'write a project: config, templates, infra/, cloudbuild.yaml',
    load: async () => (await import('./init/init-command.ts')).INIT,
  },
  dev: {
    under: START,
    summary: 'the whole system on this machine, until Ctrl-C',
    load: async () => (await import('../dev/dev-command.ts')).DEV,
  },
  config: {
    under: START,
    summary: 'check the config and show what it comes to',
    load: async () => (await import('./build/config-command.ts')).CONFIG_CHECK,
  },
  send: { under: SEND, summary: 'send one email', load: async () => (await import('./send/send-command.ts')).SEND },
  smtp: {
    under: SEND,
    summary: 'the SMTP sidecar: for apps that can only speak SMTP',
    load: async () => (await import('./smtp/smtp-command.ts')).SMTP,
  },
  build: { under: DEPLOY, summary: 'bundle the functions', load: async () => (await import('./build/build-command.ts')).BUILD },
  deploy: { under: DEPLOY, summary: 'deploy to a project', load: async () => (await import('./deploy/deploy-command.ts')).DEPLOY },
  smoke: {
    under: DEPLOY,
    summary: 'send one email through a deployment, and follow it to its end',
    laptop: true,
    load: async () => (await import('./deploy/smoke-command.ts')).SMOKE,
  },
  authorize: {
    under: GRANTS,
    summary: 'let a mailbox consent, and store its grant',
    load: async () => (await import('./grants/grant-commands.ts')).AUTHORIZE,
  },
  rotate: {
    under: GRANTS,
    summary: 'consent again; older versions are disabled once the new grant works',
    load: async () => (await import('./grants/grant-commands.ts')).ROTATE,
  },
  revoke: {
    under: GRANTS,
    summary: "end a mailbox's grant",
    load: async () => (await import('./grants/grant-commands.ts')).REVOKE,
  },
  key: { under: GRANTS, summary: 'API keys: create, list, revoke', load: async () => (await import('./keys/key-command.ts')).KEY },
  explain: {
    under: LOOK,
    summary: 'explain a pasted email or OAuth error, offline',
    load: async () => (await import('./explain/explain-command.ts')).EXPLAIN,
  },
  doctor: {
    under: LOOK,
    summary: 'find out why emails do not go out, and how to fix it',
    laptop: true,
    load: async () => (await import('./doctor/doctor-command.ts')).DOCTOR,
  },
  'verify-live': {
    under: LOOK,
    summary: 'try on a real mailbox what mailgrant assumes of Gmail',
    load: async () => (await import('./verify-live/verify-live-command.ts')).VERIFY_LIVE,
  },
  watch: {
    under: LOOK,
    summary: 'look at every mailbox: can it send right now?',
    laptop: true,
    load: async () => (await import('./doctor/watch-command.ts')).WATCH,
  },
  ledger: {
    under: LOOK,
    summary: 'what became of emails: list, show, resend, drop',
    laptop: true,
    load: async () => (await import('./ledger/ledger-command.ts')).LEDGER,
  },
  dead: {
    under: LOOK,
    summary: 'dead letters: list, replay, drop',
    laptop: true,
    load: async () => (await import('./ledger/dead-letters-command.ts')).DEAD,
  },
  'test-route': {
    under: EVENTS,
    summary: 'say whether a route wants an event, and show the email',
    load: async () => (await import('./events/test-route-command.ts')).TEST_ROUTE,
  },
  preview: {
    under: EVENTS,
    summary: 'render the email of an event, and show it in the browser',
    load: async () => (await import('./events/preview-command.ts')).PREVIEW,
  },
  hook: { under: EVENTS, summary: 'webhooks: sign a sample event', load: async () => (await import('./events/hook-command.ts')).HOOK },
  docs: {
    under: EVENTS,
    summary: "make the tables of mailgrant's own documentation",
    hidden: true, // a checkout alone has the page
    load: async () => (await import('./explain/docs-command.ts')).DOCS,
  },
};

const json = process.argv.includes('--json');

/** The one form of every answer under --json. */
function print(name: string, { data, text, exitCode = 0, error, oneLine }: Answer): void {
  process.exitCode = exitCode;
  if (json) {
    const failed: Problem | null = exitCode === 0 ? null : (error ?? { code: 'not_well', message: text, fix: null });
    console.log(JSON.stringify({ ok: exitCode === 0, command: name, error: failed, ...besides(data, error) }, null, oneLine ? 0 : 2));
  } else if (error) console.error(styled(text));
  else console.log(text);
}

/** What an answer says beside the envelope; the parts of a refusal stand in `error`. */
function besides(data: object, error: Problem | undefined): object {
  const told = ['ok', 'command', 'error', ...(error && 'detail' in data ? ['code', 'detail', 'fix'] : [])];
  return Object.fromEntries(Object.entries(data).filter(([name]) => !told.includes(name)));
}

const styled = (text: string): string =>
  text
    .replace(/^Fix:/gm, styleText('bold', 'Fix:', { stream: process.stderr }))
    .replace(/^\S+:/, (code) => styleText('red', code, { stream: process.stderr }));

async function main(argv: readonly string[]): Promise<void> {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  const stands = process.cwd();
  const project = projectFolder(stands);
  const parsed = await parseCommandLine(argv, COMMANDS, version, project === null || project === stands ? null : stands);
  if (project !== null) process.chdir(project);
  const { name } = parsed;
  if (parsed.kind === 'text') return print(name, { data: { text: parsed.text }, text: parsed.text });
  if (parsed.kind === 'wrong') {
    const { message, help } = parsed;
    const text = message.startsWith('Usage:') ? message : `error: ${message}\nFix: ${help}`;
    const error = { code: 'usage', message: message.startsWith('Usage:') ? 'a command is missing' : message, fix: help };
    return print(name, { data: {}, text, exitCode: 2, error });
  }
  const { laptop, project: wanted } = parsed.options;
  if (COMMANDS[name.split(' ')[0] ?? '']?.laptop && meansLaptop(laptop === true, wanted, process.env)) {
    const variables = laptopVariables();
    if (laptop === true && !variables)
      return print(
        name,
        await answering(async () => Promise.reject(new CommandError('laptop_missing', 'no local stack runs in this project'))),
      );
    if (variables) console.error('About the local stack that runs here.');
    Object.assign(process.env, variables);
  }
  print(name, await answering(() => parsed.leaf.run(parsed.options, ...parsed.words)));
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1)); // who reads may have read enough

await main(process.argv.slice(2));
