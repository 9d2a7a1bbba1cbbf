#!/usr/bin/env node
/**
 * Starts the command with the Node that mailgrant needs. This file alone has to run on older ones: where the Node at hand is too old, the
 * command runs under the one that the package `node` has installed beside it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
// A checkout has the sources, which Node runs as they are; an installed package has what they were compiled to.
const main = [join(root, 'functions/cli/main.ts'), join(root, 'lib/cli/main.js')].find(existsSync) ?? '';

/** The Node of the package `node`; undefined where its install script has not run. */
function installedNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    return [join(folder, 'bin/node'), join(folder, 'bin/node.exe')].find(existsSync);
  } catch {
    return undefined;
  }
}

function startUnder(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // Ctrl-C reaches the child by itself; this process must outlive it. Other signals are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM')); // started by a program that is gone
  child.once('error', (error) => refuse(`Node ${NEEDED} cannot be started: ${error.code ?? error.message}.`));
  child.once('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal); // else it would be passed on to a process that is gone
    process.kill(process.pid, signal);
  });
}

function refuse(message) {
  const fix = `Install Node ${NEEDED} (https://nodejs.org), or let npm install it beside mailgrant: npm rebuild node`;
  if (process.argv.includes('--json'))
    console.log(JSON.stringify({ ok: false, command: '', error: { code: 'node_too_old', message, fix } }, null, 2));
  else console.error(`${message}\nFix: ${fix}`);
  process.exitCode = 1;
}

if (Number.parseInt(process.versions.node, 10) >= NEEDED) await import(pathToFileURL(main).href);
else {
  const node = installedNode();
  if (node) startUnder(node);
  else refuse(`mailgrant needs Node ${NEEDED}; this is Node ${process.versions.node}.`);
}
