import type { Ledger } from '../../mail/delivery/ledger.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { Settings } from '../../runtime/settings.ts';
import type { FirestoreAccess } from '../firestore/firestore-client.ts';

/** What finding bounces is made of, for one invocation. */
export interface FinderContext {
  readonly settings: Settings;
  /** The ledger, with an outbox, where the config has event targets. */
  readonly ledger: Ledger;
  readonly access: FirestoreAccess;
  token(mailbox: Mailbox): Promise<AccessToken>;
  pseudonym(address: string): string;
  now(): number;
  close(): void;
}
