import { type Entry, type State, step } from '../delivery/ledger.ts';
import type { Message, Ports } from '../delivery/ports.ts';
import type { FailureCode } from '../model/failure.ts';
import { labelled, MAIL_ATTRIBUTE, mailIn, sealOf, unpack } from './queue-message.ts';

const GIVEN_UP: ReadonlySet<State> = new Set(['failed', 'unknown']);

/** Buries a mail's message, once: when it comes again, or another event that stands for the mail, it is only acknowledged. */
export async function buryMail(id: string, message: Message, reason: FailureCode, ports: Ports): Promise<true> {
  const found = ports.graveyard && (await ports.ledger.read(id));
  const own = found !== null && (await isOf(found.entry, message, ports));
  if (own && found.entry.buriedAt !== undefined) return true;
  await bury(labelled(message, { [MAIL_ATTRIBUTE]: id }), reason, ports);
  const marked = own && GIVEN_UP.has(found.entry.state) ? step(found.entry, found.entry.state, { buriedAt: ports.now() }) : null;
  if (own && marked) await ports.ledger.replace(found, marked).catch(() => null); // without it there is a second one at worst
  return true;
}

/** Whether a message holds what the mail is about by now: one that is known by the mail's id may be of an earlier wording. */
async function isOf({ content }: Entry, message: Message, ports: Ports): Promise<boolean> {
  if (mailIn(message) === null) return true; // known by a key, under which another mail is refused
  return unpack(message, ports).then(
    (one) => sealOf(one, ports.digest) === content,
    () => false,
  );
}

/** Publishes a dead letter with its reason; where no topic for them is configured, the ledger and the log have it. */
export async function bury(message: Message, reason: FailureCode, { graveyard }: Pick<Ports, 'graveyard'>): Promise<true> {
  await graveyard?.publish({ ...message, attributes: { ...message.attributes, reason } });
  return true;
}
