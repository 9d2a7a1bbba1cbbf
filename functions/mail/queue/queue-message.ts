import type { Entry } from '../delivery/ledger.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import type { QueuedContent } from '../message/prepared-email.ts';
import { MailFailure } from '../model/failure.ts';

/** A message with this attribute, a route, holds no email: it requests the digest of one of the route's windows. */
export const DIGEST_ATTRIBUTE = 'mailgrantDigest';

/**
 * A message with these attributes holds no email: it requests another look at a document, for the event that the document belongs
 * to.
 */
export const DOCUMENT_ATTRIBUTE = 'mailgrantDocument';
export const DOCUMENT_EVENT_ATTRIBUTE = 'mailgrantEvent';

/**
 * A message with this attribute, the name of a target in `events:`, holds no email: it is an event that the target did not accept.
 */
export const EVENT_ATTRIBUTE = 'mailgrantEventTarget';

/**
 * Attributes of a dead letter, by which it can go back into the queue as the same email: the key that the ledger knows, the route
 * of its event, and the recorded email. A dead letter with `mailgrantId` needs none of them.
 */
export const KEY_ATTRIBUTE = 'mailgrantKey';
export const ROUTE_ATTRIBUTE = 'mailgrantRoute';
export const MAIL_ATTRIBUTE = 'mailgrantMail';
/** Which field was wrong with it, in words. */
export const DETAIL_ATTRIBUTE = 'detail';
/** The message with these attributes, unless it names the email by its id. */
export const withAttributes = (message: QueueMessage, labels: Readonly<Record<string, string | null>>): QueueMessage => {
  if (emailIdOf(message) !== null) return message;
  const said = Object.fromEntries(Object.entries(labels).filter((one): one is [string, string] => one[1] !== null));
  return { ...message, attributes: { ...message.attributes, ...said } };
};

/** The hash by which the ledger recognises an email's queue message. */
export const contentHash = ({ form, data }: QueuedContent, digest: Ports['digest']): string => digest(`${form}\n${data}`);

// Pub/Sub takes 10 MB a request, and base64 grows by a third. A task is a request around such a request: Cloud Tasks documents 100
// KB in its reference and 1 MB under quotas, so content over the first goes to the bucket where there is one.
const NOW = { storeAbove: 7_000_000, max: 7_000_000 };
const LATER = { storeAbove: 50_000, max: 500_000 };

/** Makes the queue message of an email; content that is too big goes to the content store. Throws MailFailure: queue_too_small. */
export async function toQueueMessage(
  id: string,
  { form, data }: QueuedContent,
  when: 'now' | 'later',
  { contentStore: store }: Pick<Ports, 'contentStore'>,
): Promise<QueueMessage> {
  const attributes = { mailgrantId: id, ...(form === 'raw' && { mailgrantForm: form }) };
  const bytes = Buffer.byteLength(data);
  const { storeAbove, max } = when === 'now' ? NOW : LATER;
  if (bytes <= storeAbove || (!store && bytes <= max)) return { data, attributes };
  if (!store) throw new MailFailure('queue_too_small', `The email has ${bytes} bytes as JSON; without a bucket the limit is ${max}.`);
  await store.put(objectName(id), data);
  return { data: '', attributes: { ...attributes, mailgrantStored: 'true' } };
}

/** The content of a message, from its data or from the store. Throws MailFailure: content_gone, and what the store throws. */
export async function readContent(
  { data, attributes }: QueueMessage,
  { contentStore: store }: Pick<Ports, 'contentStore'>,
): Promise<QueuedContent> {
  const form = attributes['mailgrantForm'] === 'raw' ? 'raw' : 'mail';
  if (attributes['mailgrantStored'] !== 'true') return { form, data };
  const kept = await store?.get(objectName(attributes['mailgrantId'] ?? ''));
  if (kept === null || kept === undefined) throw new MailFailure('content_gone', 'the bucket does not hold the content of the email');
  return { form, data: kept };
}

/**
 * Deletes a message's content from the store, once its email can be sent no more. If that fails, the bucket's lifecycle deletes
 * it.
 */
export async function deleteStoredContent(
  { attributes }: QueueMessage,
  { contentStore: store }: Pick<Ports, 'contentStore'>,
): Promise<void> {
  if (attributes['mailgrantStored'] === 'true') await store?.remove(objectName(attributes['mailgrantId'] ?? '')).catch(() => {});
}

/** The id of the email that a message is about; null for a message that is a new request. */
export const emailIdOf = ({ attributes }: QueueMessage): string | null => {
  const id = attributes['mailgrantId'] ?? '';
  return UUID.test(id) ? id.toLowerCase() : null;
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The name of the content in the store: made of a checked id, never of text from a message. */
export const objectName = (id: string): string => `mails/${id}.json`;

/**
 * The task name of an email's queue message: one per time and content, so that repeated tries postpone a message once, and a
 * corrected message gets another name.
 */
export const taskName = ({ id, messageHash = '' }: Pick<Entry, 'id' | 'messageHash'>, at: number): string =>
  `${id}-${at}-${messageHash.slice(0, 8)}`;
