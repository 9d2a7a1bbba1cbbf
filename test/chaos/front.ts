import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One address in front of several processes, as Cloud Run has it: a connection goes to one that lives. */
export interface Front extends AsyncDisposable {
  readonly url: string;
}

/** Spreads connections over the ports in turn, and passes by those where nobody listens. */
export async function startFront(ports: readonly number[]): Promise<Front> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('error', () => {});
    client.on('close', () => open.delete(client));
    const reach = (tries: number): void => {
      const port = ports[turn++ % ports.length] as number;
      const upstream = connect(port, '127.0.0.1');
      const next = (): void => {
        upstream.destroy();
        if (tries > 0 && !client.destroyed) setTimeout(reach, tries > ports.length ? 0 : 50, tries - 1);
        else client.destroy();
      };
      upstream.once('error', next);
      upstream.once('connect', () => {
        upstream.off('error', next);
        upstream.on('error', () => client.destroy());
        upstream.on('close', () => client.destroy());
        client.on('close', () => upstream.destroy());
        client.pipe(upstream).pipe(client);
        client.resume();
      });
    };
    reach(ports.length * 2);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
