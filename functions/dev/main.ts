/** `npm start`: the whole system on this machine, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { compileConfig } from '../config/compile-config.ts';
import { ConfigProblems } from '../config/config-problems.ts';
import { whenNpmEnds } from './npm-parent.ts';
import { startStack } from './stack.ts';

const HELP = `npm start -- [options]

Brings up a fake Google, the functions api and worker under functions-framework,
the ledger and its pages (inbox, faults, log), all on 127.0.0.1, and ends them all on Ctrl-C.

  --config FILE      config to serve            (config/mailgrant.yaml)
  --folder DIR       where mails, ledger and the API key are kept (.mailgrant)
  --api PORT         8080    --worker PORT  8081
  --hooks PORT       8082    (served where a route has a hook)
  --inbox PORT       8025    --google PORT  8085
  --smtp PORT        2587    --smtps PORT   2465
  --deadline SECONDS how long one invocation may work (10)
  --help`;

const WANTED = { api: 8080, worker: 8081, hooks: 8082, google: 8085, inbox: 8025, smtp: 2587, smtps: 2465 };

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      config: text,
      folder: text,
      api: text,
      worker: text,
      hooks: text,
      inbox: text,
      google: text,
      smtp: text,
      smtps: text,
      deadline: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(HELP);
  const ports = Object.fromEntries(
    Object.entries(WANTED).map(([name, usual]) => [name, portOf(name, values[name as keyof typeof WANTED], usual)]),
  ) as typeof WANTED;
  const began = performance.now();
  let stop = async (): Promise<void> => process.exit(0); // nothing is up yet
  whenNpmEnds(() => void stop());
  const { config, module } = compileConfig(values.config ?? 'config/mailgrant.yaml');
  const stack = await startStack({
    config,
    routes: module,
    folder: values.folder ?? '.mailgrant',
    sources: { api: 'functions/api.ts', worker: 'functions/worker.ts', hooks: 'functions/hooks.ts' },
    ports,
    deadlineSeconds: Number(values.deadline ?? 10),
    onLine: (name, line) => console.log(`${name.padEnd(6)} ${readable(line)}`),
  });

  const { functions, google, inbox } = stack;
  const urls = {
    api: functions.api.url,
    worker: functions.worker.url,
    ...(stack.hooks && { hooks: stack.hooks.url }),
    google: google.url,
    inbox: inbox.url,
    smtp: `smtp://127.0.0.1:${google.smtp?.startTls}`,
    smtps: `smtps://127.0.0.1:${google.smtp?.tls}`,
  };
  for (const [name, url] of Object.entries(urls)) {
    const wanted = ports[name as keyof typeof ports];
    if (wanted !== 0 && !url.endsWith(`:${wanted}`)) console.log(`Port ${wanted} is taken: ${name} is on ${url} instead.`);
  }
  const end = async (): Promise<void> => {
    stop = async () => {}; // once is enough: npm may go first, or after us
    process.off('SIGINT', end).off('SIGTERM', end);
    await stack[Symbol.asyncDispose]();
    console.log('Everything has ended. Mails and ledger are kept for the next start.');
    process.exit(0);
  };
  stop = end;
  process.on('SIGINT', end).on('SIGTERM', end); // before the welcome: who reads it may press Ctrl-C at once
  console.log(welcome(urls, stack.key, config.mailboxes[0]?.address ?? '', Math.round(performance.now() - began)));
}

function welcome(urls: Readonly<Record<string, string>>, key: string, from: string, ms: number): string {
  return `
mailgrant is up, in ${ms} ms. Nothing leaves this machine.

  inbox    ${urls['inbox']}      <- open this: what arrived, and write, ledger, faults, events, log
  api      ${urls['api']}      Resend's API: RESEND_BASE_URL=${urls['api']}/
  worker   ${urls['worker']}      Pub/Sub push
${urls['hooks'] ? `  hooks    ${urls['hooks']}      webhooks at /hooks/<route>; npx mailgrant hook sign ROUTE --event FILE\n` : ''}  google   ${urls['google']}      the fake: tokens, secrets, ledger, Gmail
  smtp     ${urls['smtp']}      its Gmail over STARTTLS with XOAUTH2; TLS on ${urls['smtps']}
  API key  ${key}

Send a mail, and see it in the inbox:

  curl ${urls['api']}/emails -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '{"from":"${from}","to":"you@example.net","subject":"Grüße","text":"It works."}'

Then lose a reply, end a grant or use up the daily limit at ${urls['inbox']}/faults, and send again.
Your own app, from Django to curl: docs/use-it-from.md

Ctrl-C ends everything.
`;
}

function portOf(name: string, given: string | undefined, usual: number): number {
  const port = Number(given ?? usual);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`--${name}: expected a port from 0 to 65535`);
}

/** A structured log line for people; anything else as it stands. */
function readable(line: string): string {
  try {
    const { severity, event, message, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const facts = Object.entries(rest).filter(([name, value]) => value !== null && !name.includes('/'));
    return `${String(severity)} ${String(event ?? message)} ${facts.map(([name, value]) => `${name}=${typeof value === 'string' && value.includes(' ') ? JSON.stringify(value) : String(value)}`).join(' ')}`;
  } catch {
    return line;
  }
}

main().catch((error: Error) => {
  const known = error instanceof ConfigProblems || !('code' in error) || String(error.code).startsWith('ERR_PARSE_ARGS');
  console.error(known ? error.message : `Could not start: ${error.message}`);
  process.exit(1);
});
