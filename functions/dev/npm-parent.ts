import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const EVERY_MS = 500;

/**
 * Calls back when the npm that started this process has ended: npm may be killed without telling its child, and the stack would
 * go on unseen, on ports that the next start wants. Call it first: a process that has already ended cannot be found. Without npm
 * nothing is watched. If npm runs in the background, npm lives on, and so does the stack.
 */
export function whenNpmEnds(end: () => void, env: NodeJS.ProcessEnv = process.env): void {
  if (!/\bmain\.ts dev\b|\bmailgrant\b/.test(env['npm_lifecycle_script'] ?? '')) return; // npm start, npx mailgrant dev
  const watched = starters(process.ppid);
  const timer = setInterval(() => {
    if (watched.every(isAlive)) return;
    clearInterval(timer);
    end();
  }, EVERY_MS);
  timer.unref();
}

/** The parent process and, above a shell that npm may have started, npm. */
function starters(parent: number): number[] {
  const { name, above } = look(parent);
  return /sh$/.test(name) ? [parent, above] : [parent];
}

/** From /proc where it exists, else by ps; without both only the parent is known. */
function look(pid: number): { name: string; above: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return { name: /^Name:\s+(.+)$/m.exec(status)?.[1] ?? '', above: Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]) };
  } catch {}
  try {
    const [above = '', name = ''] = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return { name, above: Number(above) };
  } catch {
    return { name: '', above: 0 };
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
