/**
 * Loaded before the functions-framework CLI, which has no option for the address it listens on and takes every interface:
 * a server that names no host listens on 127.0.0.1. And a function must not outlive the stack that started it.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ListenOptions } from 'node:net';

// Node tells of `listen()` before the port is taken, with the options that it then uses.
subscribe('tracing:net.server.listen:asyncStart', (event) => {
  const { options } = event as { options: ListenOptions };
  if (options.path === undefined) options.host ??= '127.0.0.1';
});

process.on('disconnect', () => process.exit(0));
process.channel?.unref();
