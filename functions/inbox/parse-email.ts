import { type AddressObject, type Attachment, type ParsedMail, simpleParser } from 'mailparser';

export interface ParsedAddress {
  readonly Name: string;
  readonly Address: string;
}

/** A MIME message, parsed as a mail program does. */
export interface ParsedEmail {
  readonly messageId: string;
  readonly subject: string;
  readonly from: ParsedAddress | null;
  readonly to: readonly ParsedAddress[];
  readonly cc: readonly ParsedAddress[];
  readonly bcc: readonly ParsedAddress[];
  readonly replyTo: readonly ParsedAddress[];
  /** Milliseconds since the epoch; null without a Date header. */
  readonly date: number | null;
  /** Its text part; '' where it has none. */
  readonly text: string;
  /** Its html part, with `cid:` links unchanged; '' where it has none. */
  readonly html: string;
  /** The words of the text part, or of the html part where there is no text part. */
  readonly words: string;
  readonly attachments: readonly EmailPart[];
  /** Parts that the html shows, such as images. */
  readonly inline: readonly EmailPart[];
  /** The header section, unfolded, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface EmailPart {
  /** IMAP's number of the part. */
  readonly id: string;
  readonly filename: string;
  readonly contentType: string;
  readonly cid: string;
  readonly content: Buffer;
}

export async function parseEmail(raw: Buffer): Promise<ParsedEmail> {
  const parsed = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, keepCidLinks: true });
  const html = parsed.html || '';
  const text = parsed.text ?? '';
  const parts = parsed.attachments.map(partOf);
  const isInline = (_: EmailPart, index: number): boolean => isShown(parsed.attachments[index]);
  return {
    messageId: (parsed.messageId ?? '').replace(/^<|>$/g, ''),
    subject: parsed.subject ?? '',
    from: addressesIn(parsed.from)[0] ?? null,
    to: addressesIn(parsed.to),
    cc: addressesIn(parsed.cc),
    bcc: addressesIn(parsed.bcc),
    replyTo: addressesIn(parsed.replyTo),
    date: parsed.date && !Number.isNaN(parsed.date.getTime()) ? parsed.date.getTime() : null,
    text,
    html,
    words: text || (html && ((await simpleParser(raw)).text ?? '')),
    attachments: parts.filter((part, index) => !isInline(part, index)),
    inline: parts.filter(isInline),
    headers: headersOf(parsed),
  };
}

const isShown = (part: Attachment | undefined): boolean =>
  part?.related === true || (part?.contentDisposition === 'inline' && part.cid !== undefined);

function partOf({ partId, filename, contentType, cid, content }: Attachment, index: number): EmailPart {
  return { id: partId ?? String(index + 1), filename: filename ?? '', contentType, cid: cid ?? '', content };
}

function addressesIn(value: AddressObject | AddressObject[] | undefined): ParsedAddress[] {
  type Entry = AddressObject['value'][number];
  const flat = (entry: Entry): ParsedAddress[] =>
    entry.group ? entry.group.flatMap(flat) : entry.address ? [{ Name: entry.name, Address: entry.address }] : [];
  return [value ?? []].flat().flatMap(({ value: entries }) => entries.flatMap(flat));
}

function headersOf({ headerLines }: ParsedMail): [string, string][] {
  return headerLines.map(({ line }) => {
    const at = line.indexOf(':');
    return [
      line.slice(0, at),
      line
        .slice(at + 1)
        .replace(/\r?\n(?=[ \t])/g, '')
        .trim(),
    ];
  });
}

/** The html with its images embedded, so that it needs nothing else. */
export function withPictures({ html, inline, attachments }: Pick<ParsedEmail, 'html' | 'inline' | 'attachments'>): string {
  const parts = new Map([...attachments, ...inline].filter(({ cid }) => cid !== '').map((part) => [part.cid, part]));
  return html.replace(/\bcid:([^'"\s<>)]{1,256})/gi, (link, cid: string) => {
    const part = parts.get(cid);
    return part ? `data:${part.contentType.replace(/[^\w/.+-]/g, '')};base64,${part.content.toString('base64')}` : link;
  });
}
