import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import type { Google } from './google.ts';
import { listen, type Reply, type Request, type Running } from './http.ts';
import { listPage, mailPage, notFoundPage } from './inbox-page.ts';
import type { StoredMail } from './mailstore.ts';

const PAGE =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'none'; base-uri 'none'";
// What a mail shows is its sender's: no script, no form, nothing loaded from anywhere.
const CONTENT = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";

/** A mail as the inbox shows it: parsed, with what the ledger knows of it. */
export interface Shown {
  readonly stored: StoredMail;
  readonly parsed: ParsedMail;
  /** The ledger's entry; null when the Message-ID is none of ours. */
  readonly entry: Readonly<Record<string, string | number | null>> | null;
}

/** Starts the inbox page: what the fake Gmail took, and what the ledger says of each mail. */
export function startInbox(google: Google, port = 0): Promise<Running> {
  return listen(port, (request) => answer(request, google));
}

async function answer({ path }: Request, google: Google): Promise<Reply> {
  if (path === '/')
    return html(
      200,
      listPage(
        await Promise.all(
          google.mails
            .list()
            .slice(0, 200)
            .map((stored) => show(stored, google)),
        ),
        google.ledgerEntries().slice(0, 50),
      ),
    );
  if (path === '/mails') return { status: 200, body: await Promise.all(google.mails.list().map((stored) => summary(stored, google))) };
  if (path === '/refresh.js') return { status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' }, body: REFRESH };
  if (path === '/state')
    return {
      status: 200,
      body: { mails: google.mails.count(), ledger: google.ledgerEntries().map(({ id, state, attempts }) => [id, state, attempts]) },
    };
  const [, id = '', part = '', index = ''] = /^\/mails\/([0-9a-f]+)(?:\/(html|source|attachments)(?:\/(\d+))?)?$/.exec(path) ?? [];
  const stored = google.mails.get(id);
  if (!stored) return html(404, notFoundPage());
  const mail = await show(stored, google);
  if (part === 'html')
    return {
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': CONTENT },
      body: mail.parsed.html || '',
    };
  if (part === 'source') return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: stored.raw };
  if (part === 'attachments') return attachment(mail.parsed, Number(index));
  return html(200, mailPage(mail));
}

async function show(stored: StoredMail, google: Google): Promise<Shown> {
  const parsed = await simpleParser(stored.raw);
  const id = /^<([0-9a-f-]{36})@/.exec(parsed.messageId ?? '')?.[1];
  return { stored, parsed, entry: id ? google.ledgerEntry(id) : null };
}

/** One line for scripts: `curl http://…/mails`. */
async function summary(stored: StoredMail, google: Google): Promise<Record<string, unknown>> {
  const { parsed, entry } = await show(stored, google);
  const attachments = parsed.attachments.map(({ filename, contentType, size, cid }) => ({ filename, contentType, size, cid }));
  return {
    id: stored.id,
    mailbox: stored.mailbox,
    recipients: stored.recipients,
    from: addressText(parsed.from),
    subject: parsed.subject ?? '',
    at: new Date(stored.at).toISOString(),
    attachments,
    mailgrant: entry,
  };
}

function attachment(parsed: ParsedMail, index: number): Reply {
  const found = parsed.attachments[index];
  if (!found) return html(404, notFoundPage());
  const name = encodeURIComponent(found.filename ?? `attachment-${index + 1}`);
  // Always a download, never shown in the page's own origin.
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename*=UTF-8''${name}`,
      'x-content-type-options': 'nosniff',
    },
    body: found.content,
  };
}

/** The text of an address header. */
export function addressText(value: AddressObject | AddressObject[] | undefined): string {
  return [value ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ');
}

const html = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': PAGE, 'cache-control': 'no-store' },
  body,
});

const REFRESH = `let seen;
setInterval(async () => {
  const now = await fetch('/state').then((reply) => reply.text()).catch(() => seen);
  if (seen !== undefined && now !== seen) location.reload();
  seen = now;
}, 1500);
`;
