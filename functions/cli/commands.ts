import type { CommandTable } from './command-line.ts';

const START = 'Start:';
const SEND = 'Send:';
const DEPLOY = 'Deploy:';
const GRANTS = 'Mailboxes and keys:';
const LOOK = 'What happened, and why:';
const EVENTS = 'Events:';

/** Commands are loaded on demand. */
export const COMMANDS: CommandTable = {
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
  stop: {
    under: DEPLOY,
    summary: 'stop all sending; nothing is lost',
    load: async () => (await import('./deploy/stop-command.ts')).STOP,
  },
  start: { under: DEPLOY, summary: 'go on after stop', load: async () => (await import('./deploy/stop-command.ts')).START },
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
    summary: 'check whether every mailbox can send right now',
    laptop: true,
    load: async () => (await import('./doctor/watch-command.ts')).WATCH,
  },
  ledger: {
    under: LOOK,
    summary: 'what became of emails: list, show, resend, drop',
    laptop: true,
    load: async () => (await import('./ledger/ledger-command.ts')).LEDGER,
  },
  suppression: {
    under: LOOK,
    summary: 'recipients that are refused: list, add, remove',
    laptop: true,
    load: async () => (await import('./ledger/suppression-command.ts')).SUPPRESSION,
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
    hidden: true, // only a checkout has the page
    load: async () => (await import('./explain/docs-command.ts')).DOCS,
  },
};
