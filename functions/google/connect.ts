import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Edge } from '../mail/ports.ts';
import { createExchange } from './call.ts';
import { createGmail } from './gmail.ts';
import { createIdentity } from './identity.ts';
import { createLedger } from './ledger.ts';
import { createMinter } from './mint.ts';
import { createSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';

/**
 * Where the adapters meet the core. What lives as long as the instance is made here: connections, secret texts, the
 * function's own identity. What `begin` makes lives for one invocation: tokens of mailboxes, the deadline.
 */
export function connect({ config, project, database, deadlineMs, pushAudience, trustIam, urls }: Settings): Edge {
  const exchanges = createExchange();
  const identity = createIdentity(urls.metadata);
  const vault = { secrets: createSecrets(urls.secrets, project), identity, tokenUrl: urls.token };
  const now = (): number => Date.now();
  const digest = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
  return {
    config,
    project,
    pushAudience,
    trustIam,
    digest,
    now,
    begin: () => {
      const deadline = AbortSignal.timeout(deadlineMs);
      const exchange = exchanges(deadline);
      const gmail = createGmail(urls.gmail, exchange, now);
      return {
        transport: () => gmail,
        ledger: createLedger(urls.firestore, database, exchange, () => identity(exchange, now())),
        token: createMinter(vault, exchange, now),
        now,
        newId: randomUUID,
        digest,
        pause: (ms) => sleep(ms, undefined, { signal: deadline }),
        fetchFile: async (url, maxBytes) => (await import('./fetch-file.ts')).createFetchFile(deadline)(url, maxBytes),
        leaseMs: deadlineMs * 1.2,
        close: () => {},
      };
    },
  };
}
