import type { Mailbox } from '../../mail/model/config.ts';
import type { Inspection } from '../../mail/model/inspection.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import type { Settings } from '../../runtime/settings.ts';
import { inspectMailbox } from './inspect-mailbox.ts';

/**
 * Inspects the grant of every mailbox in the settings, as the functions use it, and requests reports of new messages where the
 * settings name a topic. Never throws. This is not in `connect`, so that the functions that send do not load Google's client libraries.
 */
export async function inspectGrants(
  { config, urls, inboxTopic }: Settings,
  { startInvocation, bounceToken }: Pick<FunctionContext, 'startInvocation'> & { bounceToken(mailbox: Mailbox): Promise<AccessToken> },
): Promise<readonly Inspection[]> {
  const ports = startInvocation();
  const mints = { send: ports.token, bounces: bounceToken };
  return Promise.all(config.mailboxes.map((mailbox) => inspectMailbox(mailbox, mints, urls, inboxTopic))).finally(ports.close);
}
