import { styleText } from 'node:util';
import type { CommandAnswer, Problem } from './common/command.ts';

/** What a command prints, without the last line end, and its exit code. */
export interface Printed {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How an answer is printed: under `json` in the one form that all commands share, otherwise as text; a refusal goes to standard error. */
export function printedAnswer(name: string, { data, text, exitCode = 0, error, oneLine }: CommandAnswer, json: boolean): Printed {
  if (json) {
    const failed: Problem | null = exitCode === 0 ? null : (error ?? { code: 'not_well', message: text, fix: null });
    const answer = { ok: exitCode === 0, command: name, error: failed, ...besides(data, error) };
    return { exitCode, stdout: JSON.stringify(answer, null, oneLine ? 0 : 2), stderr: '' };
  }
  return error ? { exitCode, stdout: '', stderr: styled(text) } : { exitCode, stdout: text, stderr: '' };
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

/** The answer to a command line that could not be read. */
export function usageAnswer({ message, help }: { readonly message: string; readonly help: string }): CommandAnswer {
  const missing = message.startsWith('Usage:');
  const error = { code: 'usage', message: missing ? 'a command is missing' : message, fix: help };
  return { data: {}, text: missing ? message : `error: ${message}\nFix: ${help}`, exitCode: 2, error };
}
