import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

const QUESTIONS = [
  ['EMAIL_HOST', 'Host', 'smtp.gmail.com'],
  ['EMAIL_PORT', 'Port', '587'],
  ['EMAIL_USE_TLS', 'STARTTLS (True or False)', 'True'],
  ['EMAIL_USE_SSL', 'TLS from the first byte (True or False)', 'False'],
  ['EMAIL_HOST_USER', 'User', ''],
  ['EMAIL_HOST_PASSWORD', 'Password (not shown)', ''],
] as const;

/** Asks for a password set-up, with Django's names; an empty answer takes the value in brackets. The password is not echoed. */
export async function askSettings(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Promise<Record<string, string>> {
  const silent = { on: false };
  const echo = new Writable({ write: (chunk, _, done) => (silent.on ? done() : void output.write(chunk, done)) });
  const lines = createInterface({ input, output: echo, terminal: (input as { isTTY?: boolean }).isTTY === true });
  const answers = lines[Symbol.asyncIterator]();
  const found: Record<string, string> = {};
  output.write('From the settings of a program instead: --settings FILE (settings.py of Django) or --url URL.\n');
  for (const [name, label, usual] of QUESTIONS) {
    output.write(`${label}${usual ? ` [${usual}]` : ''}: `);
    silent.on = name === 'EMAIL_HOST_PASSWORD';
    const { value, done } = await answers.next();
    if (silent.on) output.write('\n');
    if (done) break;
    found[name] = value || usual;
  }
  lines.close();
  return found;
}
