import { parseCommandLine } from '../../../functions/cli/command-line.ts';
import { COMMANDS } from '../../../functions/cli/commands.ts';
import { answering } from '../../../functions/cli/common/answering.ts';
import { packageVersion } from '../../../functions/cli/common/package-files.ts';
import { printedAnswer, usageAnswer } from '../../../functions/cli/printed-answer.ts';

/** What `spawnSync` answers of a command, as far as tests look at it. */
export interface Typed {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command line in this process, as `main.ts` does where no local stack runs: the same reading, the same command, the same text.
 * What belongs to the process itself (its folder, its streams, its signals) is tested with a process, in `test/cli/main.test.ts`.
 * `env` is set for as long as the command runs; `undefined` takes a variable away.
 */
export async function typed(argv: readonly string[], env: Readonly<Record<string, string | undefined>> = {}): Promise<Typed> {
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]));
  setAll(env);
  try {
    const { exitCode, stdout, stderr } = await printed(argv);
    return { status: exitCode, stdout: stdout && `${stdout}\n`, stderr: stderr && `${stderr}\n` };
  } finally {
    setAll(before);
  }
}

async function printed(argv: readonly string[]) {
  const json = argv.includes('--json');
  const parsed = await parseCommandLine(argv, COMMANDS, packageVersion());
  if (parsed.kind === 'text') return printedAnswer(parsed.name, { data: { text: parsed.text }, text: parsed.text }, json);
  if (parsed.kind === 'wrong') return printedAnswer(parsed.name, usageAnswer(parsed), json);
  return printedAnswer(parsed.name, await answering(() => parsed.leaf.run(parsed.options, ...parsed.words)), json);
}

function setAll(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
