import { readFileSync } from 'node:fs';

type Env = Readonly<Record<string, string | undefined>>;

const FILE = '.mailgrant/stack.json'; // `dev` writes it once the stack runs

/** The environment variables by which a command reaches the local stack that runs in this project; null where none runs. */
export function laptopVariables(): Readonly<Record<string, string>> | null {
  try {
    const { pid, env } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly pid: number; readonly env: Readonly<Record<string, string>> };
    process.kill(pid, 0);
    return env;
  } catch {
    return null; // the file does not exist, or its process has ended
  }
}

/** Where the local stack of this project serves webhooks: undefined where none runs, null where it was started without a webhook. */
export function laptopHooks(): string | null | undefined {
  if (laptopVariables() === null) return undefined;
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { readonly hooks?: string | null }).hooks ?? null;
}

/**
 * Whether a command is about the local stack: with --laptop, or if no project is named and a local stack runs. An operator who
 * names a project, by an option or by the environment, never reaches the local stack by mistake.
 */
export const meansLaptop = (asked: boolean, project: unknown, env: Env): boolean =>
  asked || (project === undefined && !env['GOOGLE_CLOUD_PROJECT'] && !env['MAILGRANT_GOOGLE_URL']);
