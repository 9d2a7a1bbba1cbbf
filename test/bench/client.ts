import { Agent, request } from 'node:http';

export interface Posting {
  readonly method?: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One request; resolves with the answer's body, throws unless the status is 2xx. */
export function ask({ method = 'POST', url, headers = {}, body }: Posting, agent?: Agent): Promise<string> {
  return new Promise((done, fail) => {
    const sent = request(url, {
      method,
      agent: agent ?? false, // a kept connection may be closed by the time a busy machine comes to use it
      headers: { ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }), ...headers },
    });
    sent.once('error', fail).once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', fail);
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) done(text);
        else fail(new Error(`${method} ${url} was answered ${statusCode} ${text.slice(0, 500)}`));
      });
    });
    sent.end(body);
  });
}

/** Sends `count` requests, so many at a time over kept connections; answers milliseconds. */
export async function load(count: number, concurrency: number, make: (index: number) => Posting): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await ask(make(index), agent);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  const ms = performance.now() - started;
  agent.destroy();
  return ms;
}
