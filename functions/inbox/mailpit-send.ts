/** Sends by the api function and waits for the email; returns its id in the inbox, or why it was refused. */
export type Send = (request: Readonly<Record<string, unknown>>) => Promise<{ readonly id: string } | { readonly error: string }>;

type Fields = Readonly<Record<string, unknown>>;

/** The body of Mailpit's `POST /api/v1/send`, in the api's form. */
export function sendRequest(body: Fields): Fields {
  const people = (value: unknown): string[] => (Array.isArray(value) ? value.map(person) : []);
  const tags = Array.isArray(body['Tags']) ? body['Tags'].map(String) : [];
  const headers = { ...(body['Headers'] as Record<string, string> | undefined), ...(tags.length > 0 && { 'X-Tags': tags.join(', ') }) };
  const files = Array.isArray(body['Attachments']) ? (body['Attachments'] as Fields[]) : [];
  return {
    from: person(body['From']),
    to: people(body['To']),
    cc: people(body['Cc']),
    bcc: people(body['Bcc']),
    reply_to: people(body['ReplyTo']),
    subject: String(body['Subject'] ?? ''),
    ...(body['HTML'] ? { html: String(body['HTML']) } : {}),
    text: String(body['Text'] ?? ''),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(files.length > 0 && {
      attachments: files.map((file) => ({
        filename: String(file['Filename'] ?? ''),
        content: String(file['Content'] ?? '').replace(/^.*,/s, ''), // the content may be a data: URL
        ...(file['ContentType'] ? { content_type: String(file['ContentType']) } : {}),
        ...(file['ContentID'] ? { content_id: String(file['ContentID']) } : {}),
      })),
    }),
  };
}

function person(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Email = '', Name = '' } = (value ?? {}) as { readonly Email?: string; readonly Name?: string };
  return Name ? `"${Name.replace(/["\\]/g, '\\$&')}" <${Email}>` : Email;
}
