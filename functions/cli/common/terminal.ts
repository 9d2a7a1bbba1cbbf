import { clearLine, createInterface, cursorTo } from 'node:readline';
import { openBrowser, openerFor } from './browser.ts';
import type { CommandOptions } from './command.ts';
import { CommandError } from './refusal.ts';

/** The person at the terminal. Messages go to standard error, so that --json on standard output stays one document. */
export interface Terminal {
  readonly interactive: boolean;
  say(line: string): void;
  /** Reads one line; null at the end of input, or when the signal aborts. */
  ask(question: string, signal: AbortSignal): Promise<string | null>;
  /** Asks yes or no, with no as the default; without this method the question is asked as a line. */
  agree?(question: string): Promise<boolean>;
  /** Opens a URL in the browser; false if that is not possible. */
  open(url: string): Promise<boolean>;
}

export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const interactive = process.stdin.isTTY === true;
  const common = {
    interactive,
    say: (line: string) => console.error(line),
    open: (url: string) => openBrowser(openerFor(url, process.platform, env['BROWSER'])),
  };
  return interactive ? { ...common, ask: askPerson, agree: agreed } : { ...common, ask: readLine };
}

// The prompt library writes to standard error, and is loaded at the first question.
async function askPerson(question: string, signal: AbortSignal): Promise<string | null> {
  const { isCancel, text } = await import('@clack/prompts');
  const answer = await text({ message: question.trim(), output: process.stderr, signal });
  return isCancel(answer) ? null : (answer ?? '');
}

async function agreed(question: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts');
  return (await confirm({ message: question.trim(), initialValue: false, output: process.stderr })) === true;
}

function readLine(question: string, signal: AbortSignal): Promise<string | null> {
  return new Promise((done) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
    const end = (line: string | null): void => {
      done(line);
      lines.close();
      process.stdin.unref?.();
    };
    if (signal.aborted) return end(null);
    process.stderr.write(question);
    lines.once('line', end).once('close', () => done(null));
    signal.addEventListener('abort', () => end(null), { once: true });
  });
}

/** Asks for consent to a step that cannot be undone. Throws CommandError: confirmation_missing. */
export async function confirm(consequence: string, terminal: Pick<Terminal, 'interactive' | 'ask' | 'agree'>): Promise<void> {
  if (!terminal.interactive) throw new CommandError('confirmation_missing', 'there is no terminal to ask at');
  if (!(await agrees(`${consequence}\nGo on?`, terminal))) throw new CommandError('confirmation_missing', 'it was not confirmed');
}

/** True for a yes. */
export async function agrees(question: string, { ask, agree }: Pick<Terminal, 'ask' | 'agree'>): Promise<boolean> {
  if (agree) return agree(question);
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `, new AbortController().signal))?.trim() ?? '');
}

/** Progress is for a person who watches: on a terminal, and never beside `--json`. It goes to standard error. */
export const watched = (options: CommandOptions): boolean => options['json'] !== true && process.stderr.isTTY === true;

// The prompt library's spinner and bar read the keyboard themselves, and end the process with exit code 0 on Ctrl-C. A plain line does not.

/** Says what is being done, to a person who watches. */
export function showStep(label: string, options: CommandOptions): void {
  if (watched(options)) console.error(`${label} …`);
}

/** A line that is written again as the work goes on. */
export interface ProgressLine {
  show(text: string): void;
  /** Ends the line as it stands; call it also where the work fails. */
  end(): void;
}

/** Null where nobody watches. */
export function progressLine(options: CommandOptions): ProgressLine | null {
  if (!watched(options)) return null;
  let shown = '';
  return {
    show(text) {
      if (text === shown) return;
      shown = text;
      cursorTo(process.stderr, 0);
      clearLine(process.stderr, 0);
      process.stderr.write(text);
    },
    end() {
      if (shown !== '') process.stderr.write('\n');
      shown = '';
    },
  };
}
