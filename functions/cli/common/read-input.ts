import { readFileSync } from 'node:fs';
import { CommandError } from './refusal.ts';

/** The text of a file, or of standard input for `-`. Throws CommandError: input_unreadable. */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError('input_unreadable', `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}
