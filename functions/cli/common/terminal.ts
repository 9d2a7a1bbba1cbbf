import { createInterface } from 'node:readline';
import { openBrowser, openerFor } from './browser.ts';
import { CommandError } from './refusal.ts';

/** The person at the terminal. What is said goes beside the answer, so that --json stays one document. */
export interface Terminal {
  readonly interactive: boolean;
  say(line: string): void;
  /** Reads one line; null when there is none to come, or the signal says it is too late. */
  ask(question: string, signal: AbortSignal): Promise<string | null>;
  /** A yes or no, no unless it is chosen; without it the question is asked as a line. */
  agree?(question: string): Promise<boolean>;
  /** Shows an address in the browser; false if that cannot be. */
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

// Prompts go to standard error, and are loaded when somebody is asked.
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

/** Has a person agree to what cannot be undone. Throws Refused: confirmation_missing. */
export async function confirm(consequence: string, terminal: Pick<Terminal, 'interactive' | 'ask' | 'agree'>): Promise<void> {
  if (!terminal.interactive) throw new CommandError('confirmation_missing', 'there is no terminal to ask at');
  if (!(await agrees(`${consequence}\nGo on?`, terminal))) throw new CommandError('confirmation_missing', 'it was not confirmed');
}

/** True for a yes. */
export async function agrees(question: string, { ask, agree }: Pick<Terminal, 'ask' | 'agree'>): Promise<boolean> {
  if (agree) return agree(question);
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `, new AbortController().signal))?.trim() ?? '');
}
