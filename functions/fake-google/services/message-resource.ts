/** A message that a mailbox received. Times are milliseconds since the epoch. */
export interface ReceivedMessage {
  readonly id: string;
  readonly mailbox: string;
  readonly threadId: string;
  readonly labels: readonly string[];
  readonly raw: Buffer;
  readonly at: number;
}

interface Part {
  readonly mimeType: string;
  readonly filename: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body: { readonly size: number; readonly data?: string };
  readonly parts?: readonly Part[];
}

/** A message as `messages.get` answers it: `metadata` (the headers that `metadataHeaders` names, or all), `raw`, `minimal` or `full`. */
export function messageResource({ id, threadId, labels, raw, at }: ReceivedMessage, format: string, query: URLSearchParams): object {
  const common = { id, threadId, labelIds: labels, snippet: '', internalDate: String(at), sizeEstimate: raw.length };
  if (format === 'minimal') return common;
  if (format === 'raw') return { ...common, raw: raw.toString('base64url') };
  const whole = partOf(raw.toString('latin1'));
  if (format === 'full') return { ...common, payload: { partId: '', ...whole } };
  const wanted = query.getAll('metadataHeaders').map((name) => name.toLowerCase());
  const headers = whole.headers.filter(({ name }) => wanted.length === 0 || wanted.includes(name.toLowerCase()));
  return { ...common, payload: { mimeType: whole.mimeType, headers } };
}

function partOf(text: string): Part {
  const end = text.indexOf('\r\n\r\n');
  const headers = (end < 0 ? text : text.slice(0, end))
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .map((line) => ({ name: line.slice(0, line.indexOf(':')), value: line.slice(line.indexOf(':') + 1).trim() }));
  const type = headers.find(({ name }) => name.toLowerCase() === 'content-type')?.value ?? 'text/plain';
  const mimeType = type.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const content = end < 0 ? '' : text.slice(end + 4);
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (!mimeType.startsWith('multipart/') || boundary === undefined) {
    const bytes = Buffer.from(content, 'latin1');
    return { mimeType, filename: '', headers, body: { size: bytes.length, data: bytes.toString('base64url') } };
  }
  const [, ...inner] = `\r\n${content}`.split(`\r\n--${boundary}`);
  const parts = inner.filter((one) => one.startsWith('\r\n')).map((one) => partOf(one.slice(2)));
  return { mimeType, filename: '', headers, body: { size: 0 }, parts };
}
