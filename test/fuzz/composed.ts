/** What Gmail was given, held against what was asked for: no header and no recipient beside it. */
import assert from 'node:assert/strict';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { normaliseAddress, parseAddress } from '../../functions/mail/model/address.ts';
import { trimSeparators } from '../../functions/mail/model/address-list.ts';
import { MAILBOX } from '../support/stack/laptop.ts';

const WRITTEN = new Set(
  'from to cc bcc reply-to subject message-id date mime-version content-type content-transfer-encoding x-mailgrant-id'.split(' '),
);
const addressesIn = (value: AddressObject | AddressObject[] | undefined): string[] =>
  [value ?? []]
    .flat()
    .flatMap((one) => one.value.flatMap(({ address, group }) => [address ?? '', ...(group ?? []).map((inner) => inner.address ?? '')]));
const recipientsOf = ({ to, cc, bcc }: ParsedMail): string[] => [to, cc, bcc].flatMap(addressesIn).filter(Boolean);
const asked = (value: unknown): string[] =>
  [value].flat().flatMap((one) => (typeof one === 'string' ? (parseAddress(trimSeparators(one))?.address ?? []) : []));

/** An email of `POST /emails`: throws where it holds what none of the bodies asked for. */
export async function checkComposed(raw: Buffer, recipients: readonly string[], mails: readonly Record<string, unknown>[]): Promise<void> {
  const parsed = await simpleParser(raw);
  const wanted = new Set(mails.flatMap((one) => ['to', 'cc', 'bcc'].flatMap((field) => asked(one[field]).map(normaliseAddress))));
  const strangers = [...recipients, ...recipientsOf(parsed)].filter((one) => !wanted.has(normaliseAddress(one)));
  assert.deepEqual(strangers, []);
  const names = new Set(mails.flatMap((one) => Object.keys(Object(one['headers']))).map((name) => name.toLowerCase()));
  const added = parsed.headerLines.map(({ key }) => key).filter((key) => !WRITTEN.has(key) && !names.has(key));
  assert.deepEqual(added, []);
  assert.equal(parsed.headerLines.length, new Set(parsed.headerLines.map(({ key }) => key)).size + repeated(parsed, names));
  assert.deepEqual(
    parsed.from?.value.map(({ address }) => address),
    [MAILBOX],
  );
}
/** Two names that differ in case only are two headers that were asked for. */
const repeated = ({ headerLines }: ParsedMail, names: ReadonlySet<string>): number =>
  headerLines.filter(({ key }, index) => names.has(key) && headerLines.findIndex((other) => other.key === key) < index).length;

/** A finished message: throws where its recipients or headers are others than it has, or its envelope. */
export async function checkRaw(text: string, raw: Buffer, recipients: readonly string[], to: readonly string[]): Promise<void> {
  const [before, after] = await Promise.all([simpleParser(Buffer.from(text)), simpleParser(raw)]);
  const wanted = new Set((to.length > 0 ? to : recipientsOf(before)).map((one) => one.toLowerCase()));
  const strangers = [...recipients, ...recipientsOf(after)].filter((one) => !wanted.has(normaliseAddress(one)));
  assert.deepEqual([strangers, to.filter((one) => !recipients.includes(one))], [[], []]);
  const names = new Set([...before.headerLines.map(({ key }) => key), 'bcc', 'date', 'message-id']);
  assert.deepEqual(
    after.headerLines.filter(({ key }) => !names.has(key)),
    [],
  );
  assert.deepEqual(
    after.from?.value.map(({ address }) => address),
    [MAILBOX],
  );
}
