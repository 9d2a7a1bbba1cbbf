import { type Address, cannotFold, hidesControl, parseAddress } from '../model/address.ts';

/** A header of the caller's own: name and decoded value. */
export type Header = readonly [name: string, value: string];

// RFC 5322 2.2: printable ASCII except the colon.
const NAME = /^[!-9;-~]{1,76}$/;
// What mailgrant writes itself. A caller's copy is dropped, never sent twice, as Resend's contract has it.
const STRUCTURAL =
  /^(from|sender|to|cc|bcc|apparently-to|subject|date|message-id|mime-version|content-.*|reply-to|return-path|received|dkim-signature|resent-.*|resend-idempotency-key)$/i;
/** True for a header that mailgrant writes itself, from other fields of the mail. */
export const isStructural = (name: string): boolean => STRUCTURAL.test(name);
const VALUE_MAX = 8_000;
const COUNT_MAX = 100;

/** Reads `headers`: the caller's own headers, and the addresses of a Reply-To found among them. Problems are collected. */
export function parseHeaders(value: unknown, problems: string[]): { headers: Header[]; replyTo: Address[] } {
  const headers: Header[] = [];
  const replyTo: Address[] = [];
  if (Array.isArray(value) ? value.length > 0 : typeof value !== 'object') {
    problems.push('Invalid `headers` field: expected an object of strings.');
    return { headers, replyTo };
  }
  const fields = Object.entries((value ?? {}) as Record<string, unknown>);
  if (fields.length > COUNT_MAX) {
    problems.push(`Invalid \`headers\` field: ${fields.length} headers are more than ${COUNT_MAX}.`);
    return { headers, replyTo };
  }
  for (const [name, given] of fields) {
    if (given === null || given === '') continue;
    const text = typeof given === 'number' || typeof given === 'boolean' ? String(given) : given;
    if (!NAME.test(name) || typeof text !== 'string' || text.length > VALUE_MAX || hidesControl(text) || cannotFold(text)) {
      problems.push(`Invalid \`headers\` field: ${printable(name)} must be a header name with one line of text.`);
    } else if (/^reply-to$/i.test(name)) {
      replyTo.push(...parseList(text));
    } else if (!STRUCTURAL.test(name)) {
      headers.push([name, text]);
    }
  }
  return { headers, replyTo };
}

/** Symfony writes all reply addresses into this one header; the commas of quoted names are not separators. */
function parseList(text: string): Address[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return parts.flatMap((part) => parseAddress(part.trim()) ?? []);
}

const printable = (name: string): string => JSON.stringify(name.slice(0, 40).replace(/[^ -~]/g, '?'));
