/**
 * Loaded before the functions-framework CLI, which has no option for the address it listens on and takes every
 * interface: whatever names no host listens on 127.0.0.1. And a function must not outlive the stack that started it.
 */
import { Server } from 'node:net';

const listen = Server.prototype.listen as (this: Server, ...args: unknown[]) => Server;
Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
  const [first, ...rest] = args;
  const port = typeof first === 'number' || typeof first === 'string' ? Number(first) : Number.NaN;
  return Number.isNaN(port)
    ? listen.apply(this, args)
    : listen.call(this, { port, host: '127.0.0.1' }, ...rest.filter((one) => typeof one === 'function'));
} as typeof Server.prototype.listen;

process.on('disconnect', () => process.exit(0));
process.channel?.unref();
