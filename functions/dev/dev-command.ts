import { answering } from '../cli/common/answering.ts';
import type { CommandAnswer, CommandOptions, Leaf } from '../cli/common/command.ts';

import { configFile } from '../cli/common/project-folder.ts';
import { CommandError } from '../cli/common/refusal.ts';
import { whenNpmEnds } from './npm-parent.ts';
import { type Dev, PORTS, runDev } from './run-dev.ts';

const END_MS = 15_000;

const port = (name: keyof typeof PORTS) => ({ value: 'PORT', about: `port of ${name} (${PORTS[name]}, or the next free one)` });

/** `dev`: the local stack, until Ctrl-C. */
export const DEV: Leaf = {
  summary: 'the whole system on this machine: fake Google, functions, ledger, inbox; until Ctrl-C',
  options: {
    port: { value: 'PORT', about: 'the same as --api; 0 takes a free port for every server' },
    api: port('api'),
    worker: port('worker'),
    hooks: port('hooks'),
    inbox: port('inbox'),
    google: port('google'),
    smtp: port('smtp'),
    smtps: port('smtps'),
    folder: { value: 'DIR', about: 'where emails, ledger and the API key are kept (.mailgrant)' },
    ephemeral: { about: 'keep nothing: emails and ledger are gone at the end' },
    host: { value: 'ADDRESS', about: '0.0.0.0 lets other machines and containers in; without it nobody else can reach it' },
    'allow-host': { value: 'NAME', many: true, about: "another name by which it may be asked, such as a tunnel's (repeat it)" },
    deadline: { value: 'SECONDS', about: 'how long one invocation may work (10)' },
  },
  examples: ['dev', 'dev --json --ephemeral --port 0'],
  notes:
    'With --json one line of JSON says where everything is once it is up, and what the functions print goes to standard error. SIGTERM ends it cleanly. docs/testing.md: your own tests.',
  async run(options) {
    const answer = await answering(() => serve(options));
    return { ...answer, data: { ready: false, ...answer.data }, oneLine: true };
  },
};

async function serve(options: CommandOptions): Promise<CommandAnswer> {
  const json = options['json'] === true;
  const given = (name: string): string | undefined => options[name] as string | undefined;
  const wanted = Object.fromEntries(
    (Object.keys(PORTS) as (keyof typeof PORTS)[]).flatMap((name) =>
      given(name) === undefined ? [] : [[name, portOf(name, given(name))]],
    ),
  );
  let starting: Promise<Dev> | null = null;
  const ended = Promise.withResolvers<void>();
  // A second Ctrl-C ends the process at once; a process whose start failed must not be kept alive by its listeners.
  const listenNoMore = (): void => void process.off('SIGINT', stop).off('SIGTERM', stop).off('disconnect', stop);
  const stop = async (): Promise<void> => {
    listenNoMore();
    setTimeout(() => process.exit(1), END_MS).unref(); // whatever is still running ends with this process
    await (await starting?.catch(() => null))?.stop();
    ended.resolve();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop); // before the start: what was started so far must end too
  process.on('disconnect', stop); // the program that started it has ended
  whenNpmEnds(() => void stop());
  const seconds = Number(given('deadline') ?? 10);
  if (!(seconds >= 1 && seconds <= 500)) throw new CommandError('option_invalid', '--deadline: expected 1 to 500 seconds');
  starting = runDev(
    {
      config: configFile(options),
      folder: given('folder'),
      ports: wanted,
      port: portOf('port', given('port')),
      host: given('host'),
      allowHosts: options['allow-host'] as readonly string[] | undefined,
      json,
      ephemeral: options['ephemeral'] === true,
      deadlineSeconds: seconds,
    },
    { out: (line) => console.log(line), err: (line) => console.error(line) },
  );
  await starting.catch((error: unknown) => {
    listenNoMore();
    throw error;
  });
  await ended.promise;
  return process.exit(0);
}

function portOf(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const number = Number(given);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  throw new CommandError('option_invalid', `--${name}: expected a port from 0 to 65535`);
}
