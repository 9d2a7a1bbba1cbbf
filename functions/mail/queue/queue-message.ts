import type { Entry } from '../delivery/ledger.ts';
import type { Ports, QueueMessage } from '../delivery/ports.ts';
import type { QueuedContent } from '../message/prepared-email.ts';
import { MailFailure } from '../model/failure.ts';

/** A message with this attribute, a route, is no mail: it has the digest of one of its windows sent. */
export const DIGEST_ATTRIBUTE = 'mailgrantDigest';

/** A message with these attributes is no email either: it has a document looked at again, for the event that answers for it. */
export const DOCUMENT_ATTRIBUTE = 'mailgrantDocument';
export const DOCUMENT_EVENT_ATTRIBUTE = 'mailgrantEvent';

/** A message with this attribute, the name of a target in `events:`, is no mail: it is an event that its receiver did not take. */
export const EVENT_ATTRIBUTE = 'mailgrantEventTarget';

/**
 * What a dead letter says of itself, so that it can be put into the queue again and is the same mail: what the ledger knows it
 * by, the route that its event came to, and the email that was recorded. One that carries `mailgrantId` needs none of them.
 */
export const KEY_ATTRIBUTE = 'mailgrantKey';
export const ROUTE_ATTRIBUTE = 'mailgrantRoute';
export const MAIL_ATTRIBUTE = 'mailgrantMail';
/** Which field was wrong with it, in words. */
export const DETAIL_ATTRIBUTE = 'detail';
/** The message with that said of it, unless it is known by the id of its mail. */
export const withAttributes = (message: QueueMessage, labels: Readonly<Record<string, string | null>>): QueueMessage => {
  if (emailIdOf(message) !== null) return message;
  const said = Object.fromEntries(Object.entries(labels).filter((one): one is [string, string] => one[1] !== null));
  return { ...message, attributes: { ...message.attributes, ...said } };
};

/** The fingerprint by which the ledger knows a mail's message again. */
export const contentHash = ({ form, data }: QueuedContent, digest: Ports['digest']): string => digest(`${form}\n${data}`);

// Pub/Sub takes 10 MB a request, and base64 grows by a third. A task is a request around such a request: Cloud Tasks
// documents 100 KB in its reference and 1 MB under quotas, so what is over the first goes to the bucket where there is one.
const NOW = { storeAbove: 7_000_000, max: 7_000_000 };
const LATER = { storeAbove: 50_000, max: 500_000 };

/** Makes the message of an email; content that is too big is put into the store. Throws MailFailure: queue_too_small. */
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

/** What a message holds, wherever it lies. Throws MailFailure: content_gone, and what the store throws. */
export async function readContent(
  { data, attributes }: QueueMessage,
  { contentStore: store }: Pick<Ports, 'contentStore'>,
): Promise<QueuedContent> {
  const form = attributes['mailgrantForm'] === 'raw' ? 'raw' : 'mail';
  if (attributes['mailgrantStored'] !== 'true') return { form, data };
  const kept = await store?.get(objectName(attributes['mailgrantId'] ?? ''));
  if (kept === null || kept === undefined) throw new MailFailure('content_gone', 'the bucket does not hold the content of the mail');
  return { form, data: kept };
}

/** Removes what a message has in the store, once its email can be sent no more; what cannot be removed goes by the lifecycle. */
export async function deleteStoredContent(
  { attributes }: QueueMessage,
  { contentStore: store }: Pick<Ports, 'contentStore'>,
): Promise<void> {
  if (attributes['mailgrantStored'] === 'true') await store?.remove(objectName(attributes['mailgrantId'] ?? '')).catch(() => {});
}

/** The id of the email that a message is about; null for a message that is a new order. */
export const emailIdOf = ({ attributes }: QueueMessage): string | null => {
  const id = attributes['mailgrantId'] ?? '';
  return UUID.test(id) ? id.toLowerCase() : null;
};

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The name of the content in the store: made of an id that is checked, never of what a message says. */
export const objectName = (id: string): string => `mails/${id}.json`;

/**
 * The task name of an email's queue message: one per time and content, so that repeated tries postpone a message once, and a
 * corrected message gets another name.
 */
export const taskName = ({ id, messageHash = '' }: Pick<Entry, 'id' | 'messageHash'>, at: number): string =>
  `${id}-${at}-${messageHash.slice(0, 8)}`;
