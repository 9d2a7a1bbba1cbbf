import type { CommandOptions } from './command.ts';

/** Progress is for a person who watches: on a terminal, and never beside `--json`. It goes to standard error. */
export const watched = (options: CommandOptions): boolean => options['json'] !== true && process.stderr.isTTY === true;

/** Does the work; a person who watches sees that it goes on. */
export async function during<T>(label: string, options: CommandOptions, work: () => Promise<T>): Promise<T> {
  if (!watched(options)) return work();
  const { spinner } = await import('@clack/prompts');
  const shown = spinner({ output: process.stderr });
  shown.start(label);
  const result = await work().catch((error: unknown) => {
    shown.error(label);
    throw error;
  });
  shown.stop(label);
  return result;
}

/** A bar for `total` units: call `reach` with what is done so far; at `total` it ends. Null where nobody watches. */
export async function progressBar(
  total: number,
  options: CommandOptions,
  label: (done: number) => string,
): Promise<((done: number) => void) | null> {
  if (!watched(options)) return null;
  const { progress } = await import('@clack/prompts');
  const bar = progress({ max: total, output: process.stderr });
  let reached = 0;
  bar.start(label(0));
  return (done) => {
    if (done <= reached) return;
    bar.advance(done - reached, label(done));
    reached = done;
    if (done >= total) bar.stop(label(total));
  };
}
