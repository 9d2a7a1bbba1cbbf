import { normaliseAddress, parseAddress } from '../model/address.ts';

/** What RFC 3464 says of one recipient. `status` is an enhanced status code such as 5.1.1; null where there is none. */
export interface RecipientStatus {
  readonly recipient: string;
  readonly action: string;
  readonly status: string | null;
}

/** The body of a delivery status notification. */
export interface DeliveryStatus {
  readonly recipients: readonly RecipientStatus[];
  /** What the headers of the returned email say: our id of it, and its Message-ID without angle brackets; null for none. */
  readonly emailId: string | null;
  readonly messageId: string | null;
}

const DEPTH_MAX = 5;
const PARTS_MAX = 50;
const RECIPIENTS_MAX = 100;

/** Reads a whole message of type multipart/report (RFC 6522, RFC 3464); null where it holds no delivery status. */
export function readDeliveryStatus(message: string): DeliveryStatus | null {
  const parts = partsOf(message.replace(/\r?\n/g, '\r\n'), DEPTH_MAX);
  const report = parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type));
  if (!report) return null;
  const [, ...groups] = report.body
    .split(/\r\n(?:[ \t]*\r\n)+/)
    .map(fieldsIn)
    .filter(({ size }) => size > 0);
  const returned = parts.find(({ type }) => /^(message\/rfc822|text\/rfc822-headers|message\/global(-headers)?)$/.test(type));
  const head = fieldsIn(returned?.body.split('\r\n\r\n', 1)[0] ?? '');
  return {
    recipients: groups.slice(0, RECIPIENTS_MAX).flatMap(statusIn),
    emailId: head.get('x-mailgrant-id')?.trim() ?? null,
    messageId: /<([^<>\s]{1,900})>/.exec(head.get('message-id') ?? '')?.[1] ?? null,
  };
}

function statusIn(fields: ReadonlyMap<string, string>): RecipientStatus[] {
  const named = [fields.get('original-recipient'), fields.get('final-recipient')].flatMap(recipientIn);
  const action = (fields.get('action') ?? '').trim().toLowerCase();
  if (named[0] === undefined || action === '') return [];
  const status = codeIn(fields.get('status'));
  // Many write a general code here, and the server's own one in the text of its answer.
  const said = /^\d\.0\.0$/.test(status ?? '0.0.0') ? codeIn(/\b[245]\d\d[ -](.*)/.exec(fields.get('diagnostic-code') ?? '')?.[1]) : null;
  return [{ recipient: named[0], action, status: said ?? status }];
}

const codeIn = (text = ''): string | null => /\b([245]\.\d{1,3}\.\d{1,3})\b/.exec(text)?.[1] ?? null;

/** `rfc822;address`, with or without a blank. */
function recipientIn(value: string | undefined): string[] {
  const read = parseAddress(/^[^;]*;\s*(.*)$/.exec(value ?? '')?.[1]?.trim() ?? '');
  return read ? [normaliseAddress(read.address)] : [];
}

interface Part {
  readonly type: string;
  readonly body: string;
}

/** The leaves of a MIME tree, in order. */
function partsOf(entity: string, depth: number): Part[] {
  const end = entity.startsWith('\r\n') ? 0 : entity.indexOf('\r\n\r\n');
  const fields = fieldsIn(end < 0 ? entity : entity.slice(0, end));
  const content = end < 0 ? '' : entity.slice(end + (end === 0 ? 2 : 4));
  const header = fields.get('content-type') ?? 'text/plain';
  const type = (header.split(';', 1)[0] ?? '').trim().toLowerCase();
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(header);
  if (type.startsWith('multipart/') && boundary && depth > 0) {
    const [, ...inner] = `\r\n${content}`.split(`\r\n--${boundary[1] ?? boundary[2] ?? ''}`);
    return inner
      .slice(0, PARTS_MAX)
      .filter((one) => !one.startsWith('--'))
      .flatMap((one) => partsOf(one.replace(/^[ \t]*\r\n/, ''), depth - 1))
      .slice(0, PARTS_MAX);
  }
  return [{ type, body: decoded(content, fields.get('content-transfer-encoding') ?? '') }];
}

function decoded(content: string, encoding: string): string {
  if (/^\s*quoted-printable\s*$/i.test(encoding))
    return content
      .replace(/=[ \t]*\r\n/g, '')
      .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  if (!/^\s*base64\s*$/i.test(encoding)) return content;
  try {
    return atob(content.replace(/[^A-Za-z0-9+/=]/g, '')).replace(/\r?\n/g, '\r\n');
  } catch {
    return '';
  }
}

/** Header fields by name, unfolded; of a name that stands twice the first. */
function fieldsIn(head: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const [, name = '', value = ''] = /^([!-9;-~]{1,76})[ \t]*:(.*)$/.exec(line) ?? [];
    if (name !== '' && !fields.has(name.toLowerCase())) fields.set(name.toLowerCase(), value);
  }
  return fields;
}
