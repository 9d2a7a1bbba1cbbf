/** `npm start`: the whole system on this machine, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { ConfigProblems } from '../config/config-problems.ts';
import { whenNpmEnds } from './npm-parent.ts';
import { type Dev, type DevOptions, PORTS, runDev } from './run-dev.ts';

const HELP = `npm start -- [options]

Brings up a fake Google, the functions api and worker under functions-framework,
the ledger and its pages (inbox, faults, log), all on 127.0.0.1, and ends them all on Ctrl-C.

  --config FILE      config to serve            (mailgrant.yaml, config/mailgrant.yaml)
  --folder DIR       where mails, ledger and the API key are kept (.mailgrant)
  --api PORT         8080    --worker PORT  8081
  --hooks PORT       8082    (served where a route has a hook)
  --inbox PORT       8025    --google PORT  8085
  --smtp PORT        2587    --smtps PORT   2465
  --port PORT        the same as --api; 0 takes a free port for every server
  --json             one line of JSON when it is up; what the functions print goes to standard error
  --ephemeral        keep nothing: mails and ledger are gone at the end
  --host ADDRESS     0.0.0.0 lets other machines and containers in; without it nobody else can reach it
  --allow-host NAME  another name by which it may be asked, such as a tunnel's (may be repeated)
  --deadline SECONDS how long one invocation may work (10)
  --help

For your own tests: npm start -- --json --ephemeral --port 0    (docs/testing.md)`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  config: text,
  folder: text,
  api: text,
  worker: text,
  hooks: text,
  inbox: text,
  google: text,
  smtp: text,
  smtps: text,
  port: text,
  host: text,
  'allow-host': { type: 'string', multiple: true },
  deadline: text,
  json: flag,
  ephemeral: flag,
  help: flag,
} as const;

const END_MS = 15_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(HELP);
  const port = (name: keyof typeof PORTS | 'port'): number | undefined => portOf(name, values[name]);
  const ports = Object.fromEntries(
    (Object.keys(PORTS) as (keyof typeof PORTS)[]).flatMap((name) => (values[name] === undefined ? [] : [[name, port(name)]])),
  ) as NonNullable<DevOptions['ports']>;
  let starting: Promise<Dev> | null = null;
  let ending = false;
  const stop = async (): Promise<void> => {
    if (ending) return; // once is enough: npm may go first, or after us
    ending = true;
    process.off('SIGINT', stop).off('SIGTERM', stop);
    setTimeout(() => process.exit(1), END_MS); // whatever does not end is ended with this process
    await (await starting?.catch(() => null))?.stop();
    process.exit(0);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop); // before the start: what was started so far must end too
  process.on('disconnect', stop); // started by a program that is gone
  whenNpmEnds(() => void stop());
  starting = runDev(
    {
      config: values.config,
      folder: values.folder,
      ports,
      port: port('port'),
      host: values.host,
      allowHosts: values['allow-host'],
      json: values.json,
      ephemeral: values.ephemeral,
      deadlineSeconds: Number(values.deadline ?? 10),
    },
    { out: (line) => console.log(line), err: (line) => console.error(line) },
  );
  await starting;
}

function portOf(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`--${name}: expected a port from 0 to 65535`);
}

main().catch((error: Error) => {
  const known = error instanceof ConfigProblems || !('code' in error) || String(error.code).startsWith('ERR_PARSE_ARGS');
  const detail = known ? error.message : `Could not start: ${error.message}`;
  if (process.argv.includes('--json')) console.log(JSON.stringify({ ready: false, detail }));
  console.error(detail);
  process.exit(1);
});
