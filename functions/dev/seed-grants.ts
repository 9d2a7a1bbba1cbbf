import type { Google } from '../fake-google/google.ts';
import type { Config } from '../mail/model/config.ts';
import { covers, scopeFor } from '../mail/model/scopes.ts';

const KEY_HOLDER = 'sender@laptop.iam.gserviceaccount.com';

/** Creates the grant of each mailbox by its kind: a refresh token in its secret, or a service account with delegation. */
export function seedGrants(mailboxes: Config['mailboxes'], google: Google, project: string): void {
  const scopes = new Map<string, Set<string>>();
  for (const { address, secret, via, grant, delegate } of mailboxes) {
    if (grant === 'refresh-token') {
      if (!covers(google.scopesIn(project, secret), via))
        google.storeSecret(project, secret, JSON.stringify(google.oauth.enrol(address, [scopeFor(via)])));
      continue;
    }
    const account = grant === 'delegation' ? delegate : KEY_HOLDER;
    google.project.serviceAccounts.set(account, false);
    if (grant === 'delegation') google.delegation.letSign(account);
    else google.storeSecret(project, secret, JSON.stringify(google.delegation.newKey(account))); // keys do not outlive the process
    scopes.set(account, (scopes.get(account) ?? new Set()).add(scopeFor(via)));
  }
  for (const [account, all] of scopes) google.delegation.allow(account, [...all]);
}
