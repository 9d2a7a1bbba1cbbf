import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { SecretString } from '../../mail/model/secret.ts';
import { IAM_DENIED, type IamHeader } from '../common/iam-token.ts';
import { CommandError } from '../common/refusal.ts';
import { upload } from './upload.ts';

/** One email from the command line: `html` and `attach` are files. */
export interface EmailToSend {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly subject: string;
  readonly text: string | null;
  readonly html: string | null;
  readonly attach: readonly string[];
}

/** An email as the body of a request, and its size. */
export interface EncodedEmail {
  readonly body: Buffer;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/** The result; `again` is true where the same call with the same key may have another result, without sending twice. */
export interface Sent {
  readonly ok: boolean;
  readonly again: boolean;
  readonly status: number;
  readonly id: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly fix: string | null;
}

// Cloud Run's limit for one HTTP/1 request.
const BODY_MAX_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 100_000;

/** Reads the files and makes the body of `POST /emails`. Throws where a file cannot be read, or the body is too large. */
export function encodeEmail({ from, to, cc, bcc, subject, text, html, attach }: EmailToSend): EncodedEmail {
  const files = attach.map((path) => ({ name: basename(path), content: read(path, '--attach') }));
  const mail = {
    from,
    to,
    ...(cc.length > 0 && { cc }),
    ...(bcc.length > 0 && { bcc }),
    subject,
    ...(text !== null && { text }),
    ...(html !== null && { html: read(html, '--html').toString('utf8') }),
    ...(files.length > 0 && { attachments: files.map(({ name, content }) => ({ filename: name, content: content.toString('base64') })) }),
  };
  const body = Buffer.from(JSON.stringify(mail));
  if (body.length > BODY_MAX_BYTES)
    throw new CommandError('email_too_large', `The email comes to ${body.length} bytes; a function takes ${BODY_MAX_BYTES}`);
  return { body, files: files.map(({ name, content }) => ({ name, bytes: content.length })) };
}

/** Where to post the email, and as which caller: with a key, with the identity that IAM admits, or with both. */
export interface Post {
  readonly url: string;
  readonly key: SecretString | null;
  readonly pass: IamHeader;
  readonly idempotencyKey: string;
  readonly onProgress: (sent: number) => void;
}

const NOTHING = { ok: false, status: 0, id: null, code: null } as const;

/** Posts the email to the function at `url`. Never throws for an error of the function or of the network. */
export async function post({ body }: EncodedEmail, { url, key, pass, idempotencyKey, onProgress }: Post): Promise<Sent> {
  const allowed = await pass().catch((error: Error) => error.message);
  if (typeof allowed === 'string') return { ...NOTHING, again: false, message: allowed, fix: null };
  const headers = {
    ...(key && { authorization: `Bearer ${key.reveal()}` }),
    ...allowed,
    'content-type': 'application/json',
    'user-agent': 'mailgrant-cli',
    'idempotency-key': idempotencyKey,
  };
  try {
    return outcomeOf(await upload({ url: `${url}/emails`, headers, body, timeoutMs: TIMEOUT_MS, onProgress }));
  } catch (error) {
    const message = `The function did not answer: ${(error as { code?: string }).code ?? (error as Error).name}.`;
    const fix = 'Check the URL. If it did get the email, the same --idempotency-key finds out without sending twice.';
    return { ...NOTHING, again: true, message, fix };
  }
}

function outcomeOf({ status, body }: { status: number; body: unknown }): Sent {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const word = (name: string): string | null => (typeof told[name] === 'string' ? told[name] : null);
  const [id, name] = [word('id'), word('name')];
  const ok = status === 200 && id !== null;
  const foreign = !ok && name === null;
  return {
    ok,
    again: !ok && (status === 429 || status >= 500 || name === 'concurrent_idempotent_requests'),
    status,
    id,
    code: word('code'),
    message: foreign ? `HTTP ${status}, in words that are not the function's own.` : word('message'),
    fix: foreign ? (status === 401 || status === 403 ? `${IAM_DENIED}.` : 'Check that the URL is that of the function api.') : word('fix'),
  };
}

function read(path: string, option: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandError('input_unreadable', `${option}: ${path}: ${(error as { code?: string }).code ?? 'cannot be read'}`);
  }
}
