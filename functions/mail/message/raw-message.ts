import { MESSAGE_MAX_BYTES } from '../mime/gmail-limits.ts';
import { type Address, distinct, normaliseAddress } from '../model/address.ts';
import { hasEmptyGroup, parseAddressList, withoutEmptyGroups } from '../model/address-list.ts';
import type { Caller, Config, Mailbox } from '../model/config.ts';
import { decodeHeader } from '../model/encoded-words.ts';
import { MailFailure } from '../model/failure.ts';
import { hidesInParameters } from '../model/header-text.ts';
import { type HeaderField, invalid, readHead } from './header-section.ts';
import type { MessagePorts } from './message-ports.ts';
import { type MimeMessage, messageId, type Stamp } from './mime-message.ts';
import { authorise, checkRecipients } from './permissions.ts';
import type { PreparedEmail } from './prepared-email.ts';
import { notAllowed, resolveSender, type Sender } from './sender.ts';

/** The SMTP envelope of a raw message; null and [] if only its headers name sender and recipients. */
export interface Envelope {
  readonly from: Address | null;
  readonly to: readonly Address[];
}

/** A finished message that was checked and can be sent byte for byte. */
export interface RawMessage {
  readonly bytes: Uint8Array;
  readonly fields: readonly HeaderField[];
  readonly bodyAt: number;
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  /** How many unused bytes the memory of `bytes` has before them: a new header section is written there and over the old one. */
  readonly headroom: number;
  /** The header section as received, with its empty line. */
  readonly head: Uint8Array;
  /** `Resend-Idempotency-Key`, which Resend's SMTP server reads too. */
  readonly key: string | null;
}

// RFC 5322 3.6 and RFC 2045: at most once each, or programs disagree on which one counts.
const ONCE =
  'from sender reply-to to cc bcc message-id in-reply-to references subject date mime-version content-type content-transfer-encoding content-disposition content-id resend-idempotency-key'.split(
    ' ',
  );

/** Reads a message/rfc822; for `room` see `RawMessage.headroom`. Throws MailFailure: request_invalid, too_large. */
export function parseRawMessage(bytes: Uint8Array, room = 0): RawMessage {
  if (bytes.length > MESSAGE_MAX_BYTES)
    throw new MailFailure('too_large', `The message has ${bytes.length} bytes; Gmail takes ${MESSAGE_MAX_BYTES}.`);
  const { fields, bodyAt } = readHead(bytes);
  const named = (name: string): HeaderField[] => fields.filter((field) => field.name === name);
  const twice = ONCE.find((name) => named(name).length > 1);
  if (twice) throw invalid(`it has more than one header \`${twice}\`.`);
  if (fields.some(({ name }) => /^(resent-|apparently-to$)/.test(name))) throw invalid('it has headers that send it on (`Resent-…`).');
  const hiding = fields.find(
    ({ name, value }) => decodeHeader(plain(value)) === null || (name.startsWith('content-') && hidesInParameters(value)),
  );
  if (hiding)
    throw invalid(
      `its header \`${hiding.name}\` hides a control character in an encoded-word (\`=?charset?encoding?text?=\`) or a parameter, or holds one that readers decode in different ways; encode the text in UTF-8.`,
    );
  // Over SMTP a lost reply is settled by a search for the Message-ID: with a blank in it, the search would look for something
  // else.
  const id = named('message-id')[0]?.value ?? '';
  if (id !== '' && !/^<[^\s<>"]+>$/.test(id)) throw invalid('its header `message-id` is no single <id>.');
  const people = (name: string): Address[] => {
    const list = parseAddressList(plain(named(name)[0]?.value ?? ''));
    if (!list) throw invalid(`its header \`${name}\` is no plain list of addresses.`);
    return list;
  };
  const [from, ...others] = people('from');
  if (!from || others.length > 0) throw invalid('it needs one header `from` with one address.');
  const key = named('resend-idempotency-key')[0]?.value ?? null;
  return {
    bytes,
    fields,
    bodyAt,
    from,
    to: people('to'),
    cc: people('cc'),
    bcc: people('bcc'),
    headroom: room,
    head: Buffer.from(bytes.subarray(0, bodyAt)),
    key,
  };
}

const plain = (value: string): string => value.replace(/\t/g, ' ');

/**
 * Checks a raw message and its envelope against the caller's permissions. Every sender that it names (From, Sender, envelope)
 * must be the one mailbox, or an alias of it. Throws MailFailure: sender_not_allowed, recipient_not_allowed, request_invalid.
 */
export function prepareRawMessage(
  message: RawMessage,
  envelope: Envelope,
  caller: Caller,
  config: Config,
  digest: MessagePorts['digest'],
): PreparedEmail {
  const recipients = distinct(envelope.to.length > 0 ? envelope.to : [...message.to, ...message.cc, ...message.bcc]);
  if (recipients.length === 0) throw new MailFailure('field_missing', 'Missing recipients: name them by x-envelope-to, or in the message.');
  authorise(caller, { from: message.from, to: recipients, cc: [], bcc: [] });
  const sender = resolveSender(config, message.from);
  const claimed = [...(parseAddressList(message.fields.find(({ name }) => name === 'sender')?.value ?? '') ?? [{ name: '', address: '' }])];
  for (const other of envelope.from ? [...claimed, envelope.from] : claimed) {
    if (!owns(sender.mailbox, other)) throw notAllowed(other);
    authorise(caller, { from: other, to: [], cc: [], bcc: [] });
  }
  checkRecipients(recipients, sender.mailbox);
  if (sender.mailbox.via === 'api') refuseExtra(message, recipients);
  const asked = recipients.map(({ address }) => address);
  return {
    sender,
    recipients,
    requestHash: digest(JSON.stringify([digest(message.bytes), sender.from.address, asked])),
    textOnly: false,
    compose: async (stamp) => finish(message, asked, sender, stamp),
    dueAt: null,
    content: () => ({
      form: 'raw',
      data: JSON.stringify({ from: envelope.from?.address ?? null, to: asked, raw: asItCame(message).toString('base64') }),
    }),
  };
}

const owns = ({ address, aliases }: Mailbox, one: Address): boolean => [address, ...aliases].includes(normaliseAddress(one.address));

const asItCame = ({ head, bytes, bodyAt }: RawMessage): Buffer => Buffer.concat([head, bytes.subarray(bodyAt)]);

/** Restores a raw message from stored content. Throws as parseRawMessage and prepareRawMessage do. */
export function prepareQueuedRawMessage(content: unknown, caller: Caller, config: Config, digest: MessagePorts['digest']): PreparedEmail {
  const { from, to, raw } = (content ?? {}) as { from?: unknown; to?: unknown; raw?: unknown };
  if (typeof raw !== 'string' || !Array.isArray(to)) throw invalid('its message holds no email.');
  const bare = (address: unknown): Address => ({ name: '', address: String(address) });
  const envelope = { from: typeof from === 'string' ? bare(from) : null, to: to.map(bare) };
  return prepareRawMessage(parseRawMessage(Buffer.from(raw, 'base64')), envelope, caller, config, digest);
}

/** Gmail's API sends to the recipients in To and Cc: a recipient that the envelope leaves out would get the email all the same. */
function refuseExtra({ to, cc }: RawMessage, recipients: readonly Address[]): void {
  const named = setOf(recipients);
  for (const [field, people] of Object.entries({ To: to, Cc: cc }))
    if (!people.every(({ address }) => named.has(normaliseAddress(address))))
      throw new MailFailure(
        'envelope_incomplete',
        `The message cannot be sent: \`${field}\` names a recipient that the envelope does not, and who would get it too. Name all of them in one request.`,
      );
}

/**
 * The message with the headers that it lacks: Message-ID and Date from the stamp, and Bcc for recipients that only the envelope
 * names. Nothing else is added; LEFT_OUT says what is left out.
 */
function finish(
  { bytes, fields, bodyAt, to, cc, headroom: room }: RawMessage,
  recipients: readonly string[],
  { mailbox, from }: Sender,
  stamp: Stamp,
): MimeMessage {
  const shown = setOf([...to, ...cc]);
  const hidden = recipients.filter((address) => !shown.has(normaliseAddress(address)));
  const given = fields.find(({ name }) => name === 'message-id');
  const id = given?.value || messageId(stamp.id, from.address);
  const head = [
    ...fields
      .filter(({ name, value }) => !OURS.has(name) && (value !== '' || !STAMPED.has(name)))
      .flatMap((field) => (mailbox.via === 'api' ? forApi(field) : field.lines)),
    ...(mailbox.via === 'api' && hidden.length > 0 ? [`Bcc: ${hidden.join(',\r\n ')}`] : []),
    ...(given?.value ? [] : [`Message-ID: ${id}`]),
    ...(fields.some(({ name, value }) => name === 'date' && value !== '') ? [] : [`Date: ${dateOf(stamp)}`]),
  ];
  const message = behind(Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes, bodyAt, room);
  return { bytes: message, messageId: id, envelope: { from: mailbox.address, to: recipients } };
}

/**
 * A header as the Gmail API needs it. `undisclosed-recipients:;` is left out: Gmail does not document it, and the API does not
 * need it.
 */
function forApi({ name, value, lines }: HeaderField): string[] {
  if ((name !== 'to' && name !== 'cc') || !hasEmptyGroup(plain(value))) return [lines];
  const named = withoutEmptyGroups(plain(value));
  return named === '' ? [] : [`${name === 'to' ? 'To' : 'Cc'}: ${named}`];
}

/**
 * Header section and body in one piece: in the same memory where there is room before the body, because copying a large body takes
 * as much memory again.
 */
function behind(head: Uint8Array, bytes: Uint8Array, bodyAt: number, room: number): Uint8Array {
  const start = bodyAt - head.length;
  if (start + room < 0 || room === 0) return Buffer.concat([head, bytes.subarray(bodyAt)]);
  const message = Buffer.from(bytes.buffer, bytes.byteOffset + start, bytes.length - start);
  message.set(head);
  return message;
}

// What only the last server writes, of an earlier delivery, and what counts the bytes of one: mail servers leave it out too, where a
// message is handed in. What servers write on the way stays: loops are found by it.
const LEFT_OUT = ['return-path', 'delivery-date', 'envelope-to', 'content-length'];
const OURS = new Set(['bcc', 'resend-idempotency-key', ...LEFT_OUT]);
const STAMPED = new Set(['message-id', 'date']);

const dateOf = ({ acceptedAt }: Stamp): string => new Date(acceptedAt).toUTCString().replace('GMT', '+0000');

const setOf = (people: readonly Address[]): Set<string> => new Set(people.map(({ address }) => normaliseAddress(address)));
