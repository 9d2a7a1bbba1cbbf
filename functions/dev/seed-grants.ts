import type { Google } from '../fake-google/google.ts';
import type { Config } from '../mail/model/config.ts';
import { covers, readsBounces, scopesOf } from '../mail/model/scopes.ts';

const KEY_HOLDER = 'sender@laptop.iam.gserviceaccount.com';

/** Creates the grant of each mailbox by its kind: a refresh token in its secret, or a service account with delegation. */
export function seedGrants(mailboxes: Config['mailboxes'], google: Google, project: string): void {
  const scopes = new Map<string, Set<string>>();
  for (const mailbox of mailboxes) {
    const { address, secret, via, grant, delegate, bounces } = mailbox;
    if (grant === 'refresh-token') {
      const held = google.scopesIn(project, secret);
      if (!covers(held, via) || (bounces && !readsBounces(held)))
        google.storeSecret(project, secret, JSON.stringify(google.oauth.enrol(address, scopesOf(mailbox))));
      continue;
    }
    const account = grant === 'delegation' ? delegate : KEY_HOLDER;
    google.project.serviceAccounts.set(account, false);
    if (grant === 'delegation') google.delegation.letSign(account);
    else google.storeSecret(project, secret, JSON.stringify(google.delegation.newKey(account))); // keys do not outlive the process
    scopes.set(account, new Set([...(scopes.get(account) ?? []), ...scopesOf(mailbox)]));
  }
  for (const [account, all] of scopes) google.delegation.allow(account, [...all]);
}
