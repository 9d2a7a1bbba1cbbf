import { ConfigProblems } from '../../config/config-problems.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { CommandAnswer } from './command.ts';
import { CommandError, commandErrorReport, commandErrorText, isUsage, PartlyDone } from './refusal.ts';

/** Runs a command; whatever it throws becomes its answer, without text that a foreign error may quote. */
export async function answering(run: () => Promise<CommandAnswer>): Promise<CommandAnswer> {
  try {
    return await run();
  } catch (error) {
    return failedAnswer(error);
  }
}

function failedAnswer(error: unknown): CommandAnswer {
  if (error instanceof ConfigProblems) {
    const fix = 'Correct each of them; `npx mailgrant config` checks the file again.';
    const { message, problems } = error;
    return { data: { problems }, text: message, exitCode: 1, error: { code: 'config_invalid', message, fix } };
  }
  if (!(error instanceof CommandError || error instanceof MailFailure || error instanceof PartlyDone)) {
    const message = foreign(error);
    return { data: {}, text: message, exitCode: 1, error: { code: 'unexpected', message, fix: null } };
  }
  const data = commandErrorReport(error);
  const { code, detail: message, fix } = data;
  return { data, text: commandErrorText(data), exitCode: isUsage(error) ? 2 : 1, error: { code, message, fix } };
}

/** The message of our own plain errors, file and code of the system's errors, only the name of all others. */
function foreign(error: unknown): string {
  if (!(error instanceof Error)) return 'unexpected';
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (code && syscall) return `${path ?? syscall}: ${code}`;
  return error.constructor === Error ? error.message : `unexpected: ${error.name}`;
}
