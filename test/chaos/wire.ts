import { Agent, request as forward } from 'node:http';
import type { Fault } from '../../functions/fake-google/faults/faults.ts';
import { ERROR_REPLIES } from '../../functions/fake-google/http/error-replies.ts';
import { CUT, type FakeReply, type FakeRequest, listen, type Running } from '../../functions/fake-google/http/server.ts';

/** What lies between the functions and an emulator. */
export type Wire = 'ledger' | 'queue';

/** A server that passes every call on to `target`, and does to some of them what `draw` says. */
export function startWire(target: string, draw: () => Omit<Fault, 'on'> | undefined): Promise<Running> {
  const agent = new Agent({ keepAlive: true });
  return listen(0, async (request) => {
    const fault = draw();
    if (fault?.reset === 'before') return CUT;
    if (fault?.answer) return ERROR_REPLIES[fault.answer as keyof typeof ERROR_REPLIES];
    const reply = await pass(request, target, agent);
    return fault?.reset === 'after' ? CUT : reply;
  });
}

function pass({ method, path, query, headers, body }: FakeRequest, target: string, agent: Agent): Promise<FakeReply> {
  const url = `${target}${encodeURI(path)}${query.size > 0 ? `?${query}` : ''}`;
  const passed = { authorization: headers.authorization ?? '', 'content-type': headers['content-type'] ?? 'application/json' };
  return new Promise((done, fail) => {
    const call = forward(url, { method, agent, headers: { ...passed, 'content-length': body.length } }, (response) => {
      response.toArray().then(
        (chunks) =>
          done({
            status: response.statusCode ?? 502,
            headers: { 'content-type': response.headers['content-type'] ?? '' },
            body: Buffer.concat(chunks as Buffer[]),
          }),
        fail,
      );
    });
    call.on('error', fail);
    call.end(body);
  });
}
