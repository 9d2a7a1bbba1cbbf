/** `npx mailgrant COMMAND`: arguments in, data from the command, one place that prints. */
import { readFileSync } from 'node:fs';
import { styleText } from 'node:util';
import { parseCommandLine } from './command-line.ts';
import { COMMANDS } from './commands.ts';
import { answering } from './common/answering.ts';
import type { CommandAnswer, Problem } from './common/command.ts';
import { packageFile } from './common/package-files.ts';
import { projectFolder } from './common/project-folder.ts';
import { CommandError } from './common/refusal.ts';
import { laptopVariables, meansLaptop } from './common/running-laptop.ts';

const json = process.argv.includes('--json');

/** The one form of every answer under --json. */
function print(name: string, { data, text, exitCode = 0, error, oneLine }: CommandAnswer): void {
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
  const { laptop, project: wanted, smtp } = parsed.options;
  // doctor --smtp looks at a setup without mailgrant
  if (!smtp && COMMANDS[name.split(' ')[0] ?? '']?.laptop && meansLaptop(laptop === true, wanted, process.env)) {
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
