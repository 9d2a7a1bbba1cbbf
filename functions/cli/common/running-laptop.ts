import { readFileSync } from 'node:fs';

type Env = Readonly<Record<string, string | undefined>>;

const FILE = '.mailgrant/stack.json'; // written by `dev` when it is up

/** The variables by which a command reaches the local stack that runs in this project; null where none runs. */
export function laptopVariables(): Readonly<Record<string, string>> | null {
  try {
    const { pid, env } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly pid: number; readonly env: Readonly<Record<string, string>> };
    process.kill(pid, 0);
    return env;
  } catch {
    return null; // there is no such file, or its process is gone
  }
}

/** Where the local stack of this project serves webhooks: undefined where none runs, null where it was started without a webhook. */
export function laptopHooks(): string | null | undefined {
  if (laptopVariables() === null) return undefined;
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly hooks?: string | null }).hooks ?? null;
}

/**
 * Whether a command is about the local stack: it was asked for, or nothing names a project and one runs. An operator who names a project, by
 * an option or by the environment, never meets the laptop by mistake.
 */
export const meansLaptop = (asked: boolean, project: unknown, env: Env): boolean =>
  asked || (project === undefined && !env['GOOGLE_CLOUD_PROJECT'] && !env['MAILGRANT_GOOGLE_URL']);
