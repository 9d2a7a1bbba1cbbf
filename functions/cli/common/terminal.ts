import { createInterface } from 'node:readline';
import { openBrowser, openerFor } from './browser.ts';

/** The person at the terminal. What is said goes beside the answer, so that --json stays one document. */
export interface Terminal {
  readonly interactive: boolean;
  say(line: string): void;
  /** Reads one line; null when there is none to come, or the signal says it is too late. */
  ask(question: string, signal: AbortSignal): Promise<string | null>;
  /** Shows an address in the browser; false if that cannot be. */
  open(url: string): Promise<boolean>;
}

export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  return {
    interactive: process.stdin.isTTY === true,
    say: (line) => console.error(line),
    ask: (question, signal) =>
      new Promise((done) => {
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
      }),
    open: (url) => openBrowser(openerFor(url, process.platform, env['BROWSER'])),
  };
}
