import type { Inspection } from '../../mail/model/inspection.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';
import type { Settings } from '../../runtime/settings.ts';
import { inspectMailbox } from './inspect-mailbox.ts';

/** Looks at the grant of every mailbox in the settings, as the functions use it. Never throws; apart from `connect`, so that no email's function carries Google's clients. */
export async function inspectGrants(
  { config, urls }: Settings,
  { startInvocation }: Pick<FunctionContext, 'startInvocation'>,
): Promise<readonly Inspection[]> {
  const ports = startInvocation();
  return Promise.all(config.mailboxes.map((mailbox) => inspectMailbox(mailbox, ports.token, urls))).finally(ports.close);
}
