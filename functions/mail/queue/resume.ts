import { pastOutcome, recordEnd, takeOver } from '../delivery/claim.ts';
import type { Found } from '../delivery/ledger.ts';
import type { Outcome } from '../delivery/outcome.ts';
import type { Message, Ports } from '../delivery/ports.ts';
import { countersOf, rulesOf } from '../delivery/rate-limits.ts';
import { work } from '../delivery/send.ts';
import type { Content } from '../message/prepared-email.ts';
import { type Draft, draftMail } from '../message/prepared-email.ts';
import { callerOf, isKey } from '../model/caller.ts';
import type { Caller, Config } from '../model/config.ts';
import { asFailure, consequence, MailFailure } from '../model/failure.ts';
import { publish } from './enqueue.ts';
import { sealOf, unpack } from './queue-message.ts';

/**
 * Goes on with a mail that was accepted before and comes back by its message. Who asked for it is in the ledger, and must
 * still be allowed to. Throws MailFailure: mail_unknown,
 * message_foreign, in_flight, and what passes by itself.
 */
export async function resume(id: string, message: Message, config: Config, ports: Ports): Promise<{ outcome: Outcome; caller: string }> {
  const found = await ports.ledger.read(id);
  if (!found) throw new MailFailure('mail_unknown', 'The ledger does not know the mail that the message is about.');
  return { outcome: await goOn(found, message, config, ports), caller: found.entry.caller };
}

async function goOn(found: Found, message: Message, config: Config, ports: Ports): Promise<Outcome> {
  const past = pastOutcome(found.entry, ports.now());
  if (past && past.state !== 'queued') return past;
  let content: Content;
  try {
    content = await unpack(message, ports);
  } catch (error) {
    if (asFailure(error).code !== 'content_gone') throw error;
    return recordEnd(found, asFailure(error), ports);
  }
  if (sealOf(content, ports.digest) !== found.entry.content)
    throw new MailFailure('message_foreign', 'the ledger knows another message under this id');
  if (past) return publish(found.entry, content, ports); // it came before its time: its caller has moved it
  let draft: Draft;
  let caller: Caller;
  try {
    ({ draft, caller } = await redraft(content, found.entry.caller, config, ports));
  } catch (error) {
    const failure = asFailure(error);
    if (consequence(failure.code).retry !== 'never') throw failure;
    return recordEnd(found, failure, ports);
  }
  const rules = rulesOf(isKey(caller.id, config) ? null : caller, draft.sender.mailbox, ports); // a key's own were counted at the door
  const claim = await takeOver(found, countersOf(rules), ports);
  return work(claim, draft, rules, ports);
}

async function redraft({ form, data }: Content, id: string, config: Config, ports: Ports): Promise<{ draft: Draft; caller: Caller }> {
  const caller = callerOf(id, config, ports.now());
  if (!caller) throw new MailFailure('key_invalid', 'The key that asked for the mail may no longer send.');
  const body: unknown = JSON.parse(data);
  if (form === 'mail') return { draft: draftMail(body, caller, config, ports), caller };
  const { redraftRaw } = await import('../message/raw-message.ts');
  return { draft: redraftRaw(body, caller, config, ports.digest), caller };
}
