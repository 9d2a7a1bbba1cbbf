import { resolve } from 'node:path';
import { styleText } from 'node:util';
import { CommanderError, type Help, Command as Program } from 'commander';
import type { Command, CommandOptions, Group, Leaf, OptionTable } from './common/command.ts';

/** One row of the overview; the command itself is loaded when it is called. */
export interface CommandEntry {
  readonly under: string;
  readonly summary: string;
  readonly hidden?: true;
  /** The command can work on the local stack: with --laptop, or if one runs and no project is named. */
  readonly laptop?: true;
  load(): Promise<Command>;
}

export type CommandTable = Readonly<Record<string, CommandEntry>>;

/** A parsed command line: a command to run, a text to print, or what is wrong with it. */
export type Parsed =
  | {
      readonly kind: 'run';
      readonly name: string;
      readonly leaf: Leaf;
      readonly options: CommandOptions;
      readonly words: readonly string[];
    }
  | { readonly kind: 'text'; readonly name: string; readonly text: string }
  | { readonly kind: 'wrong'; readonly name: string; readonly message: string; readonly help: string };

const COMMON: OptionTable = {
  config: { value: 'FILE', about: 'the config (mailgrant.yaml, or config/mailgrant.yaml, of the project)' },
  json: { about: 'one JSON document on standard output: {ok, command, error: null or {code, message, fix}, …}' },
};

const LAPTOP: OptionTable = { laptop: { about: 'the local stack that runs in this project; so too where no project is named' } };

const ABOUT = 'Send email through Gmail from anything, with no password anywhere.';

/** Reads a command line. Relative paths start at the folder `from`; null leaves them unchanged. */
export async function parseCommandLine(
  argv: readonly string[],
  table: CommandTable,
  version: string,
  from: string | null = null,
): Promise<Parsed> {
  const said: string[] = [];
  const errors: string[] = [];
  let parsed: Parsed | null = null;
  const words = argv.filter((word) => !word.startsWith('-'));
  const completes = words[0] === 'complete' || (words[0] === 'completion' && words.length > 1);
  const name = words[0] === 'help' ? words[1] : words[0];
  const program = new Program(completes ? 'mailgrant' : 'npx mailgrant')
    .description(ABOUT)
    .version(version)
    .helpCommand('help [COMMAND]', 'say more about a command')
    .exitOverride()
    .configureHelp(STYLES)
    .configureOutput({
      writeOut: (text) => void said.push(text),
      writeErr: (text) => void errors.push(text),
      outputError: (text, write) => write(text),
    })
    .addHelpText('after', '\nnpx mailgrant COMMAND --help says more, with examples. Every command takes --json and --config FILE.');

  const define = (under: Program, path: string, leaf: Leaf): void => {
    under.description(leaf.summary);
    for (const word of (leaf.arguments ?? '').split(/ (?=[<[])/).filter(Boolean)) under.argument(word);
    const local = table[path.split(' ')[0] ?? '']?.laptop ? LAPTOP : {};
    const options = { ...leaf.options, ...local, ...COMMON };
    for (const [option, { value, about, many }] of Object.entries(options)) {
      if (Object.hasOwn(COMMON, option)) under.optionsGroup('Options of every command:');
      const flags = value === undefined ? `--${option}` : `--${option} <${value}>`;
      if (many) under.option(flags, about, (one: string, before: string[] = []) => [...before, one]);
      else under.option(flags, about);
    }
    under.addHelpText('after', ({ command }) => after(command, leaf));
    under.action((...given: unknown[]) => {
      const typed = given
        .slice(0, -2)
        .flat()
        .filter((word) => word !== undefined) as string[];
      const read = leaf.arguments === '[FILE]' ? typed.map((file) => seen(from, file)) : typed;
      parsed = { kind: 'run', name: path, leaf, options: givenOptions(under, options, from), words: read };
    });
  };
  for (const [one, { under, summary, hidden, load }] of Object.entries(table)) {
    program.commandsGroup(under);
    const command = program.command(one, { hidden: hidden === true }).description(summary);
    if (one !== name && !completes) continue;
    const loaded = await load();
    if ('run' in loaded) define(command, one, loaded);
    else group(command, one, loaded, define);
  }
  program.commandsGroup('Shell:');
  if (completes) return { kind: 'text', name: words[0] ?? '', text: await completion(program, argv) };
  program.command('completion').argument('<SHELL>').description('a completion script for bash, zsh, fish or powershell');

  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const called = path(program, words[0] === 'help' ? words.slice(1) : words);
    if (error.exitCode === 0) return { kind: 'text', name: called, text: said.join('').trimEnd() };
    const help = `npx mailgrant ${called === '' ? '' : `${called} `}--help`;
    if (error.code === 'commander.help') return { kind: 'wrong', name: called, message: errors.join('').trimEnd(), help };
    return { kind: 'wrong', name: called, message: error.message.replace(/^error: /, ''), help };
  }
  return parsed ?? { kind: 'wrong', name: '', message: 'no command', help: 'npx mailgrant --help' };
}

function group(
  program: Program,
  name: string,
  { summary, notes, commands }: Group,
  define: (p: Program, n: string, l: Leaf) => void,
): void {
  program.description(summary).helpCommand(false);
  if (notes !== undefined) program.addHelpText('after', ({ command }) => `\n${wrapped(command, notes)}`);
  for (const [verb, leaf] of Object.entries(commands)) define(program.command(verb), `${name} ${verb}`, leaf);
}

/** Shell completion by the library: its scripts, and the suggestions for them. The library prints them itself. */
async function completion(program: Program, argv: readonly string[]): Promise<string> {
  const { default: tab } = await import('@bomb.sh/tab/commander');
  tab(program, { completionCommandName: 'completion' });
  const lines: string[] = [];
  const { log } = console;
  console.log = (...line) => void lines.push(line.join(' '));
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } finally {
    console.log = log;
  }
  return lines.join('\n');
}

/** The named commands, as far as they exist. */
function path(program: Program, words: readonly string[]): string {
  const found: string[] = [];
  for (let at: Program | undefined = program; at; ) {
    at = at.commands.find((one) => one.name() === words[found.length]);
    if (at) found.push(at.name());
  }
  return found.join(' ');
}

/** Options under the names that they are typed with; a path is relative to the folder in which it was typed. */
function givenOptions(program: Program, table: OptionTable, from: string | null): CommandOptions {
  const given = program.opts() as Record<string, string | boolean | string[] | undefined>;
  const entries = program.options.map((option) => {
    const name = (option.long ?? '').slice(2);
    const value = given[option.attributeName()];
    if (option.negate) return [name, value === false ? true : undefined] as const;
    const isPath = ['FILE', 'DIR'].includes(table[name]?.value ?? '');
    const paths = Array.isArray(value) ? value.map((one) => seen(from, one)) : typeof value === 'string' ? seen(from, value) : value;
    return [name, isPath ? paths : value] as const;
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

const seen = (from: string | null, path: string): string => (from === null || path === '-' ? path : resolve(from, path));

const bold = (text: string): string => styleText('bold', text, { validateStream: false });
/** commander leaves styles out where the terminal has no colours, or NO_COLOR is set. */
const STYLES: Partial<Help> = {
  styleTitle: bold,
  styleCommandText: (text) => styleText('cyan', text, { validateStream: false }),
  styleSubcommandText: (text) => styleText('cyan', text, { validateStream: false }),
  styleOptionText: (text) => styleText('green', text, { validateStream: false }),
  styleArgumentText: (text) => styleText('yellow', text, { validateStream: false }),
};

function after(command: Program, { examples, notes }: Leaf): string {
  const title = command.createHelp().styleTitle('Examples:');
  const lines = ['', bolded(title), ...examples.map((one) => `  npx mailgrant ${one}`)];
  return [...lines, ...(notes === undefined ? [] : ['', wrapped(command, notes)])].join('\n');
}

const bolded = (title: string): string => title.replace('Examples:', bold('Examples:'));

const wrapped = (command: Program, text: string): string => command.createHelp().boxWrap(text, process.stdout.columns ?? 80);
