import { ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { OAuth, Session } from '../oauth/oauth.ts';
import type { FakeUpload, MailStore, StoredMail } from './message-store.ts';

const SEND = /^\/(upload\/)?gmail\/v1\/users\/([^/]+)\/messages\/send$/;
const READING = [
  'https://mail.google.com/',
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/gmail.readonly',
];
const SCOPES = [
  'https://mail.google.com/',
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/gmail.compose',
  'https://www.googleapis.com/auth/gmail.send',
];
const MAX_BYTES = 36_700_160; // discovery document, mediaUpload.maxSize
const CHUNK = 262_144; // a chunk that is not the last must be a multiple of 256 KiB
const WEEK_MS = 7 * 24 * 60 * 60_000;

/** The fake of Gmail's `users.messages.send`: JSON, media, multipart and resumable upload, scopes and session rules enforced. */
export interface Gmail {
  answer(request: FakeRequest, url: string): FakeReply;
  /** `messages.list` for `q=rfc822msgid:` and `labelIds=SENT`, and the headers of `messages.get`. */
  search(request: FakeRequest): FakeReply;
  /** Takes an email that came by SMTP, where the envelope names the recipients. */
  take(mailbox: string, raw: Buffer, recipients: readonly string[]): StoredMail;
  /** Takes the first bytes of an upload that is cut before its end. */
  keep(request: FakeRequest, bytes: number): void;
  /**
   * Takes all or half of the bytes of an upload, and makes the message when the returned function is called: then the rest has
   * arrived, and the session still makes at most one message. Null where the upload would be refused, or is not the rest of the
   * message.
   */
  hold(request: FakeRequest, share: 'whole' | 'half'): { readonly bytes: number; complete(): void } | null;
}

export function createFakeGmail(
  store: MailStore,
  oauth: OAuth,
  aliasesOf: (mailbox: string) => readonly string[],
  now: () => number,
): Gmail {
  const take = (mailbox: string, raw: Buffer, recipients: readonly string[]): StoredMail => {
    const [from = ''] = addressesIn(header(split(raw).head, 'from'));
    const own = [mailbox, ...aliasesOf(mailbox)].includes(from.toLowerCase());
    return store.deliver(mailbox, own ? raw : rewriteFrom(raw, mailbox), [...new Set(recipients)]);
  };
  const deliver = (mailbox: string, raw: Buffer): FakeReply => {
    if (raw.length > MAX_BYTES) return ERROR_REPLIES.too_large;
    const { head } = split(raw);
    const recipients = ['to', 'cc', 'bcc'].flatMap((name) => addressesIn(header(head, name)));
    if (recipients.length === 0) return ERROR_REPLIES.recipient_required;
    if (recipients.some((one) => !/^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(one))) return ERROR_REPLIES.invalid_to;
    return accepted(take(mailbox, raw, recipients));
  };

  const begin = ({ address }: Session, request: FakeRequest, url: string): FakeReply => {
    const size = Number(request.headers['x-upload-content-length'] ?? Number.NaN);
    if (size > MAX_BYTES) return ERROR_REPLIES.too_large;
    const id = store.openUpload(address, Number.isNaN(size) ? null : size);
    return { status: 200, headers: { location: `${url}${request.path}?uploadType=resumable&upload_id=${id}`, 'x-guploader-uploadid': id } };
  };

  const proceed = (upload: FakeUpload, request: FakeRequest): FakeReply => {
    const done = upload.mailId === null ? null : store.get(upload.mailId);
    if (upload.mailId !== null)
      return done ? accepted(done) : { status: 200, body: { id: upload.mailId, threadId: upload.mailId, labelIds: ['SENT'] } };
    const range = request.headers['content-range'];
    const [, from, to, total] =
      /^bytes (?:\*|(\d+)-(\d+))\/(\d+|\*)$/.exec(range ?? `bytes 0-${request.body.length - 1}/${request.body.length}`) ?? [];
    if (total === undefined) return ERROR_REPLIES.bad_upload;
    const size = total === '*' ? upload.size : Number(total);
    if (upload.size !== null && size !== upload.size) return ERROR_REPLIES.bad_upload;
    if (from === undefined) return request.body.length > 0 ? ERROR_REPLIES.bad_upload : status(upload);
    if (Number(from) !== upload.received.length || Number(to) - Number(from) + 1 !== request.body.length) return ERROR_REPLIES.bad_upload;
    const received = Buffer.concat([upload.received, request.body]);
    if (size === null || received.length < size) {
      if (request.body.length % CHUNK !== 0) return ERROR_REPLIES.bad_upload;
      store.saveUpload(upload.id, received, null);
      return status({ ...upload, received });
    }
    const reply = deliver(upload.mailbox, received);
    const { id } = reply.body as { id?: string };
    if (id !== undefined) store.saveUpload(upload.id, received, id); // of a message that it refuses it keeps nothing
    return reply;
  };

  return {
    answer(request, url) {
      const [, uploading, user = 'me'] = SEND.exec(request.path) ?? [];
      const session = oauth.session(bearerIn(request));
      if (!session) return ERROR_REPLIES.bad_token;
      if (user !== 'me' && user.toLowerCase() !== session.address) return ERROR_REPLIES.delegation_denied;
      if (!session.scopes.some((scope) => SCOPES.includes(scope))) return ERROR_REPLIES.missing_scope;
      if (request.method === 'PUT') {
        const upload = store.upload(request.query.get('upload_id') ?? '');
        const usable = upload && upload.mailbox === session.address && upload.at + WEEK_MS > now();
        return usable ? proceed(upload, request) : ERROR_REPLIES.session_gone;
      }
      if (!uploading) {
        const raw = (jsonOf(request) as { raw?: unknown } | null)?.raw;
        return typeof raw === 'string' ? deliver(session.address, Buffer.from(raw, 'base64url')) : ERROR_REPLIES.raw_required;
      }
      if (request.query.get('uploadType') === 'resumable') return begin(session, request, url);
      const raw = request.query.get('uploadType') === 'multipart' ? secondPart(request) : request.body;
      return raw && raw.length > 0 ? deliver(session.address, raw) : ERROR_REPLIES.raw_required;
    },
    search(request) {
      const session = oauth.session(bearerIn(request));
      if (!session) return ERROR_REPLIES.bad_token;
      if (!session.scopes.some((scope) => READING.includes(scope))) return ERROR_REPLIES.missing_scope;
      const [, one] = /\/messages\/([^/]+)$/.exec(request.path) ?? [];
      if (one !== undefined) {
        const mail = store.get(one);
        if (mail?.mailbox !== session.address) return ERROR_REPLIES.not_found;
        const headers = split(mail.raw)
          .head.split('\r\n')
          .map((line) => ({ name: line.slice(0, line.indexOf(':')), value: line.slice(line.indexOf(':') + 1).trim() }));
        return { status: 200, body: { id: one, threadId: one, labelIds: ['SENT'], payload: { headers } } };
      }
      if (request.query.getAll('labelIds').includes('SENT')) {
        const sent = store.list().filter(({ mailbox }) => mailbox === session.address);
        const newest = sent.slice(0, Number(request.query.get('maxResults') ?? 100)).map(({ id }) => ({ id, threadId: id }));
        return { status: 200, body: { ...(newest.length > 0 && { messages: newest }), resultSizeEstimate: sent.length } };
      }
      const wanted = /^rfc822msgid:<?([^<>\s]+)>?$/.exec(request.query.get('q') ?? '')?.[1];
      const messages = store.withMessageId(session.address, wanted ?? '').map((id) => ({ id, threadId: id }));
      return { status: 200, body: { ...(messages.length > 0 && { messages }), resultSizeEstimate: messages.length } };
    },
    take,
    hold(request, share) {
      const session = oauth.session(bearerIn(request));
      const upload = store.upload(request.query.get('upload_id') ?? '');
      if (!session || !upload || upload.mailbox !== session.address || upload.mailId !== null) return null;
      const whole = Buffer.concat([upload.received, request.body]);
      if (request.body.length === 0 || (upload.size !== null && whole.length !== upload.size)) return null;
      const bytes = share === 'whole' ? whole.length : upload.received.length + Math.ceil(request.body.length / 2);
      store.saveUpload(upload.id, whole.subarray(0, bytes), null);
      const complete = (): void => {
        if (store.upload(upload.id)?.mailId !== null) return; // another upload has made the message
        const { id } = deliver(upload.mailbox, whole).body as { id?: string };
        store.saveUpload(upload.id, whole, id ?? null);
      };
      return { bytes, complete };
    },
    keep(request, bytes) {
      const upload = store.upload(request.query.get('upload_id') ?? '');
      if (upload && upload.mailId === null)
        store.saveUpload(upload.id, Buffer.concat([upload.received, request.body.subarray(0, bytes)]), null);
    },
  };
}

const accepted = ({ id }: StoredMail): FakeReply => ({ status: 200, body: { id, threadId: id, labelIds: ['SENT'] } });

const status = ({ received }: FakeUpload): FakeReply => ({
  status: 308,
  headers: received.length > 0 ? { range: `bytes=0-${received.length - 1}` } : {},
});

/** The message of a multipart/related upload: JSON metadata first, then message/rfc822. */
function secondPart({ headers, body }: FakeRequest): Buffer | null {
  const boundary = /boundary="?([^";]+)"?/.exec(headers['content-type'] ?? '')?.[1];
  if (!boundary) return null;
  const [, , second = ''] = body.toString('latin1').split(`--${boundary}`);
  const start = second.search(/\r?\n\r?\n/);
  return start < 0
    ? null
    : Buffer.from(
        second
          .slice(start)
          .replace(/^\r?\n\r?\n/, '')
          .replace(/\r?\n$/, ''),
        'latin1',
      );
}

function split(raw: Buffer): { head: string; at: number } {
  const end = raw.indexOf('\r\n\r\n');
  const at = end < 0 ? raw.length : end;
  return {
    head: raw
      .subarray(0, at)
      .toString('utf8')
      .replace(/\r\n(?=[ \t])/g, ''),
    at,
  };
}

function header(head: string, name: string): string {
  return head
    .split('\r\n')
    .flatMap((line) => (line.toLowerCase().startsWith(`${name}:`) ? [line.slice(name.length + 1)] : []))
    .join(',');
}

/**
 * Every address in a header value. Quoted display names are ignored, quoted local parts are not; an address without a valid domain
 * is returned unchanged.
 */
function addressesIn(value: string): string[] {
  const parts = value
    .replace(/"(?:[^"\\]|\\.)*"(?!@)/g, '')
    .replace(/[\w-]+:\s*;/g, '') // an empty group (RFC 5322 3.4)
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return parts.map((part) => /<([^>]*)>/.exec(part)?.[1] ?? part);
}

/** Gmail does not refuse a From of another account: it silently replaces it by the mailbox's own address. */
function rewriteFrom(raw: Buffer, mailbox: string): Buffer {
  const { at } = split(raw);
  const head = raw
    .subarray(0, at)
    .toString('latin1')
    .replace(/^From:.*(?:\r\n[ \t].*)*/im, `From: ${mailbox}`);
  return Buffer.concat([Buffer.from(head, 'latin1'), raw.subarray(at)]);
}
