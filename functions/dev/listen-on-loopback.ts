/**
 * Loaded before the functions-framework CLI, which listens on every interface and has no option for the address: a server that
 * names no host listens on 127.0.0.1. It also ends the function when its stack has ended.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ListenOptions } from 'node:net';

// Node reports `listen()` before the port is bound, with the options that it then uses.
subscribe('tracing:net.server.listen:asyncStart', (event) => {
  const { options } = event as { options: ListenOptions };
  if (options.path === undefined) options.host ??= '127.0.0.1';
});

process.on('disconnect', () => process.exit(0));
process.channel?.unref();
