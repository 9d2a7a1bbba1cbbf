import type { Inspection } from '../../mail/model/inspection.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import type { Settings } from '../../runtime/settings.ts';
import { inspectMailbox } from './inspect-mailbox.ts';

/**
 * Inspects the grant of every mailbox in the settings, as the functions use it. Never throws. This is not in `connect`, so that
 * the functions that send do not load Google's client libraries.
 */
export async function inspectGrants(
  { config, urls }: Settings,
  { startInvocation }: Pick<FunctionContext, 'startInvocation'>,
): Promise<readonly Inspection[]> {
  const ports = startInvocation();
  return Promise.all(config.mailboxes.map((mailbox) => inspectMailbox(mailbox, ports.token, urls))).finally(ports.close);
}
