import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Resend } from 'resend';
import { KEY, type Laptop, MAIL, ours, startFake } from './laptop.ts';
import { type Figure, interleave, type Sample } from './report/figures.ts';
import { mailTo, warmed } from './warm.ts';

/** What a caller with the resend SDK waits for: one email after the other through api, against a server that answers at once. */
export async function sdk(laptop: Laptop, quick: boolean): Promise<Figure[]> {
  await using fake = await startFake(laptop, { kind: 'sink', tls: true });
  await using api = await warmed(ours(laptop, 'api', fake), laptop.folder, mailTo);
  const sink = createServer((req, res) => {
    req
      .resume()
      .once('end', () => res.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}'));
  });
  await new Promise<void>((done) => sink.listen(0, '127.0.0.1', done));
  const count = quick ? 20 : 100;
  const through = async (baseUrl: string): Promise<Sample> => {
    const client = new Resend(KEY, { baseUrl });
    const started = performance.now();
    for (let sent = 0; sent < count; sent++) {
      const { error } = await client.emails.send(MAIL);
      if (error) throw new Error(`the resend SDK was answered ${error.name}`);
    }
    return { ms: (performance.now() - started) / count };
  };
  const seen = await interleave(
    { ours: () => through(api.url), sink: () => through(`http://127.0.0.1:${(sink.address() as AddressInfo).port}`) },
    quick ? 2 : 5,
  );
  sink.close();
  sink.closeAllConnections();
  return [
    {
      id: 'sdk.latency',
      what: 'a mail by the resend SDK until its id is there, against a server that answers a constant',
      unit: 'ms',
      ours: seen.range('ours', 'ms'),
      peer: { name: 'constant', range: seen.range('sink', 'ms') },
      ratio: seen.ratio('ours', 'sink', 'ms'),
      note: 'with token, ledger, session and letter in between',
    },
  ];
}
