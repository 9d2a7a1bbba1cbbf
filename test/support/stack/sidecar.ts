import { createRelay } from '../../../functions/cli/smtp/smtp-relay.ts';
import { startSidecar } from '../../../functions/cli/smtp/smtp-sidecar.ts';
import { createLog } from '../../../functions/runtime/log.ts';

/** A sidecar on loopback, with what it logged. */
export async function sidecarFor(url: string, change: Partial<Parameters<typeof startSidecar>[0]> = {}) {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line));
  const sidecar = await startSidecar({ host: '127.0.0.1', port: 0, relay: createRelay(url), log, ...change });
  return Object.assign(sidecar, { lines });
}
