import type { AddressInfo, Server } from 'node:net';

export interface BoundAddress {
  /** 0 takes a free port. */
  readonly port: number;
  /** Loopback by default. */
  readonly host?: string;
  /** How many ports are tried, from `port` on. A bound port is kept, so that no other program can take it in between. */
  readonly tries?: number;
}

/** Binds the server and returns its port. Rejects with the error of the last port that was tried. */
export async function bind(server: Server, { port, host = '127.0.0.1', tries = 1 }: BoundAddress): Promise<number> {
  for (let wanted = port; ; wanted++) {
    const error = await tryPort(server, wanted, host);
    if (error === null) return (server.address() as AddressInfo).port;
    const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
    if (!isTaken || port === 0 || wanted + 1 >= port + tries || wanted >= 65_535) throw error;
  }
}

function tryPort(server: Server, port: number, host: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((done) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      server.off('listening', listening);
      done(error);
    };
    const listening = (): void => {
      server.off('error', failed);
      done(null);
    };
    server.once('error', failed).once('listening', listening).listen(port, host);
  });
}
