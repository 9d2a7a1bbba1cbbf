import { spawn } from 'node:child_process';

/** The command that opens a URL: the one in BROWSER (`%s` stands for the URL), else the platform's own. */
export function openerFor(url: string, platform: string, browser = ''): readonly [string, ...string[]] {
  const [command, ...args] = browser.split(' ').filter(Boolean);
  if (command) return args.includes('%s') ? [command, ...args.map((arg) => (arg === '%s' ? url : arg))] : [command, ...args, url];
  if (platform === 'darwin') return ['open', url];
  // `start` belongs to cmd, which takes every & of the URL for the end of a command.
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler', url];
  return ['xdg-open', url];
}

/** Starts the browser; false if it does not exist or fails at once. The browser may stay when this program ends. */
export function openBrowser([command, ...args]: readonly [string, ...string[]]): Promise<boolean> {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.once('error', () => done(false));
    child.once('exit', (code) => done(code === 0));
    child.once('spawn', () => child.unref());
  });
}
