import { spawn } from 'node:child_process';

/** How a program ended; `status` is null if the program does not exist. */
export interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
}

/**
 * Runs a program and waits for its end. `read` keeps its output, `show` shows it to the person on standard error, `tee` does
 * both, and `hide` drops it, as for a token. No shell is involved, so arguments are passed unchanged.
 */
export type Programs = (argv: readonly string[], how: 'read' | 'show' | 'tee' | 'hide') => Promise<ProgramResult>;

export const programs: Programs = ([program = '', ...args], how) =>
  new Promise((done, broken) => {
    const output = { read: ['pipe', 'ignore'], show: [2, 2], tee: ['pipe', 'pipe'], hide: ['ignore', 'ignore'] } as const;
    const child = spawn(program, args, { stdio: ['ignore', ...output[how]], env: { ...process.env, TF_INPUT: '0' } });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (how === 'tee') process.stderr.write(chunk);
      });
    child.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? done({ status: null, stdout: '' }) : broken(error)));
    child.once('close', (status) => done({ status: status ?? 1, stdout: Buffer.concat(chunks).toString('utf8') }));
  });

/** A command line as a person would type it. */
export const shownCommand = (argv: readonly string[]): string =>
  argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
