import { type Address, parseAddress } from '../model/address.ts';
import { isEmptyGroup, parseAddressList } from '../model/address-list.ts';
import { lineProblem } from '../model/header-text.ts';
import { isStructured, structuredValue } from '../model/structured-headers.ts';

/** A caller's own header: name and decoded value. */
export type Header = readonly [name: string, value: string];

// RFC 5322 2.2: printable ASCII except the colon.
const NAME = /^[!-9;-~]{1,76}$/;
// Headers that mailgrant writes itself, from other fields. A caller's copy is dropped, as in Resend's contract, so that none is
// sent twice.
const STRUCTURAL = /^(from|to|cc|bcc|subject|date|message-id|mime-version|content-transfer-encoding|reply-to|x-mailgrant-id)$/i;
/** True for a header that mailgrant writes itself, from other fields of the email. */
export const isStructural = (name: string): boolean => STRUCTURAL.test(name);
// Headers that no caller can set. Ignoring them would send an email that differs from what its caller expects.
export const REFUSED_HEADERS: readonly (readonly [names: string, why: string])[] = [
  [
    'Content-Type',
    'the type follows from `text`, `html` and `attachments`; give a calendar as an attachment with `content_type: "text/calendar; method=REQUEST"`, or send a finished message to /v1/raw',
  ],
  ['Content-Disposition, Content-MD5, Content-Length', 'it is of a part, and the parts are written from `text`, `html` and `attachments`'],
  ['Apparently-To, Resent-*', 'it would send the email on; name the recipients in `to`, `cc` and `bcc`'],
  [
    'Return-Path, Received, Received-SPF, Delivered-To, Delivery-Date, Envelope-To, Original-Recipient, DKIM-Signature, DomainKey-Signature, Authentication-Results, ARC-*, BIMI-Indicator, BIMI-Location, X-Received, X-Google-DKIM-Signature, X-Google-Smtp-Source, X-Gm-*',
    'servers write it on the way; leave it out',
  ],
  ['Resend-Idempotency-Key', 'give the key in the header `Idempotency-Key` of the request'],
  ['Sender', 'the sender is `from`; leave it out'],
];

/** Why a header cannot be set; undefined where it can. */
const refusal = (name: string): string | undefined =>
  REFUSED_HEADERS.find(([names]) =>
    names
      .toLowerCase()
      .split(', ')
      .some((one) => (one.endsWith('*') ? name.toLowerCase().startsWith(one.slice(0, -1)) : one === name.toLowerCase())),
  )?.[1];
/** True for a header that no caller can set: it is refused, with advice. */
export const isRefused = (name: string): boolean => refusal(name) !== undefined;
const VALUE_MAX = 8_000;
const COUNT_MAX = 100;

const RECIPIENTS = /^(to|cc|bcc)$/i;

/**
 * Reads `headers`: the caller's own headers, and the addresses of a Reply-To and of recipients among them, who must be recipients
 * of the email. Problems are collected.
 */
export function parseHeaders(value: unknown, problems: string[]): { headers: Header[]; replyTo: Address[]; recipients: Address[] } {
  const headers: Header[] = [];
  const replyTo: Address[] = [];
  const recipients: Address[] = [];
  if (Array.isArray(value) ? value.length > 0 : typeof value !== 'object') {
    problems.push('Invalid `headers` field: expected an object of strings.');
    return { headers, replyTo, recipients };
  }
  const fields = Object.entries((value ?? {}) as Record<string, unknown>);
  if (fields.length > COUNT_MAX) {
    problems.push(`Invalid \`headers\` field: ${fields.length} headers are more than ${COUNT_MAX}.`);
    return { headers, replyTo, recipients };
  }
  for (const [name, given] of fields) {
    if (given === null || given === '') continue;
    const text = typeof given === 'number' || typeof given === 'boolean' ? String(given) : given;
    const problem =
      problemOf(name, text) ?? (isRepeated(name, fields) ? 'it is given twice, and readers disagree on which one counts' : null);
    if (problem !== null) problems.push(`Invalid \`headers\` field: ${printable(name)}: ${problem}.`);
    else if (/^reply-to$/i.test(name)) replyTo.push(...parseList(String(text), problems));
    else if (RECIPIENTS.test(name)) recipients.push(...(parseAddressList(String(text)) ?? []));
    else if (!STRUCTURAL.test(name)) headers.push([name, String(text)]);
  }
  return { headers, replyTo, recipients };
}

/** Two spellings of one name, for a header that programs read: of text there may be several. */
const isRepeated = (name: string, fields: readonly (readonly [name: string, value: unknown])[]): boolean =>
  isStructured(name) &&
  fields.some(([other, value]) => other !== name && other.toLowerCase() === name.toLowerCase() && value !== null && value !== '');

function problemOf(name: string, text: unknown): string | null {
  if (!NAME.test(name)) return 'a header name is printable ASCII without blanks and colons, at most 76 characters';
  const refused = refusal(name);
  if (refused) return refused;
  const problem = lineProblem(text, VALUE_MAX);
  if (problem !== null || typeof text !== 'string') return problem;
  if (RECIPIENTS.test(name) && !parseAddressList(text)) return 'expected addresses, and the same as in `to`, `cc` and `bcc`';
  const structured = structuredValue(name, text, (phrase) => phrase);
  return structured && 'problem' in structured ? structured.problem : null;
}

/** Symfony writes all reply addresses into this one header; commas inside quoted names are no separators. */
function parseList(text: string, problems: string[]): Address[] {
  const parts = (text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [])
    .map((part) => part.trim())
    .filter((part) => part !== '' && !isEmptyGroup(part));
  const people = parts.map((part) => parseAddress(part));
  if (people.includes(null))
    problems.push('Invalid `headers` field: "Reply-To": expected addresses such as `Name <email@example.com>`, with commas between them.');
  return people.filter((one) => one !== null);
}

const printable = (name: string): string => JSON.stringify(name.slice(0, 40).replace(/[^ -~]/g, '?'));
