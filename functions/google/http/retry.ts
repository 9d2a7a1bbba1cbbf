import { type Exchange, type HttpReply, NoReply } from './exchange.ts';

const TRIES = 3;
const FIRST_WAIT_MS = 200;

/**
 * An exchange with retries, for calls that may reach Google twice (a token endpoint, a signature). No answer, a premature close
 * and 5xx get two more tries, with growing, random pauses. A call with `once` is repeated only after an answer, or where none of
 * it has left. `pause` rejects at the invocation's deadline.
 */
export function withRetry(exchange: Exchange, pause: (ms: number) => Promise<void>, random: () => number): Exchange {
  return async (call) => {
    for (let tries = 1; ; tries++) {
      const reply: HttpReply | NoReply = await exchange(call).catch((error: unknown) => {
        if (error instanceof NoReply) return error;
        throw error;
      });
      const settled = reply instanceof NoReply ? call.once === true && reply.bytesSent : reply.status < 500;
      const waited =
        settled || tries === TRIES
          ? false
          : await pause(FIRST_WAIT_MS * 3 ** (tries - 1) * (0.5 + random())).then(
              () => true,
              () => false,
            );
      if (waited) continue;
      if (reply instanceof NoReply) throw reply;
      return reply;
    }
  };
}
