/** `npx mailgrant COMMAND`: reads the arguments, runs the command, and is the only place that prints. */
import { parseCommandLine } from './command-line.ts';
import { COMMANDS } from './commands.ts';
import { answering } from './common/answering.ts';
import type { CommandAnswer } from './common/command.ts';
import { packageVersion } from './common/package-files.ts';
import { projectFolder } from './common/project-folder.ts';
import { CommandError } from './common/refusal.ts';
import { laptopVariables, meansLaptop } from './common/running-laptop.ts';
import { printedAnswer, usageAnswer } from './printed-answer.ts';

const json = process.argv.includes('--json');

function print(name: string, answer: CommandAnswer): void {
  const { exitCode, stdout, stderr } = printedAnswer(name, answer, json);
  process.exitCode = exitCode;
  if (stderr !== '') console.error(stderr);
  else console.log(stdout);
}

async function main(argv: readonly string[]): Promise<void> {
  const stands = process.cwd();
  const project = projectFolder(stands);
  const parsed = await parseCommandLine(argv, COMMANDS, packageVersion(), project === null || project === stands ? null : stands);
  if (project !== null) process.chdir(project);
  const { name } = parsed;
  if (parsed.kind === 'text') return print(name, { data: { text: parsed.text }, text: parsed.text });
  if (parsed.kind === 'wrong') return print(name, usageAnswer(parsed));
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

process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1)); // the reader has closed the pipe

await main(process.argv.slice(2));
