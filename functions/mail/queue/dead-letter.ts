import type { Entry } from '../delivery/ledger.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import { allows, apply } from '../delivery/transitions.ts';
import { type FailureCode, failureInfo, type MailFailure } from '../model/failure.ts';
import { contentHash, DETAIL_ATTRIBUTE, emailIdOf, MAIL_ATTRIBUTE, readContent, withAttributes } from './queue-message.ts';

/** Publishes the dead letter of an email once: a redelivery, or another event of the same email, is only acknowledged. */
export async function deadLetterEmail(id: string, message: QueueMessage, reason: FailureCode, ports: Ports, detail = ''): Promise<true> {
  const found = ports.deadLetters && (await ports.ledger.read(id));
  const own = found !== null && (await isOf(found.entry, message, ports));
  if (own && found.entry.deadLetterAt !== undefined) return true;
  await publishDeadLetter(withAttributes(message, { [MAIL_ATTRIBUTE]: id }), reason, ports, detail);
  const marked = own && allows(found.entry, 'deadLetter') ? apply(found.entry, { type: 'deadLetter', at: ports.now() }) : null;
  if (own && marked) await ports.ledger.replace(found, marked).catch(() => null); // without the mark, at worst a second dead letter is published
  return true;
}

/** Whether a message holds the current content of the email: a message that names the email by id may hold an earlier content. */
async function isOf({ messageHash }: Entry, message: QueueMessage, ports: Ports): Promise<boolean> {
  if (emailIdOf(message) === null) return true; // the message names the email by its idempotency key, and a different email under that key is refused
  return readContent(message, ports).then(
    (one) => contentHash(one, ports.digest) === messageHash,
    () => false,
  );
}

// Pub/Sub takes 1024 bytes in the value of an attribute.
const DETAIL_MAX = 300;

/**
 * What the publisher of an email did wrong, for the dead letter: a publisher gets no answer. '' for a failure that the publisher
 * did not cause.
 */
export const detailOf = (failure: MailFailure): string => (failureInfo(failure.code).blame === 'caller' ? failure.message : '');

/**
 * Publishes a dead letter with its reason; `detail` names the wrong field, where one is wrong. Without a dead-letter topic, the
 * ledger and the log hold the reason.
 */
export async function publishDeadLetter(
  message: QueueMessage,
  reason: FailureCode,
  { deadLetters }: Pick<Ports, 'deadLetters'>,
  detail = '',
): Promise<true> {
  await deadLetters?.publish({
    ...message,
    attributes: { ...message.attributes, reason, ...(detail !== '' && { [DETAIL_ATTRIBUTE]: detail.slice(0, DETAIL_MAX) }) },
  });
  return true;
}
