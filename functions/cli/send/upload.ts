import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface UploadRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Milliseconds without any progress after which the upload ends. */
  readonly timeoutMs: number;
  /** Called after each piece with the number of bytes that were sent. */
  readonly onProgress: (sent: number) => void;
}

const PIECE_BYTES = 256 * 1024;
const REPLY_MAX_BYTES = 1_000_000;

/** POSTs the body piece by piece; an answer that arrives before the end stops the upload. Rejects where no answer comes. */
export async function upload({ url, headers, body, timeoutMs, onProgress }: UploadRequest): Promise<{ status: number; body: unknown }> {
  const start = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = start(url, { method: 'POST', headers: { ...headers, 'content-length': body.length }, timeout: timeoutMs });
  request.once('timeout', () => request.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
  let answered = false;
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', (incoming) => {
      answered = true;
      resolve(incoming);
    });
    request.on('error', reject);
  });
  response.catch(() => {}); // awaited below, after the body
  for (let sent = 0; sent < body.length && !answered && !request.destroyed; ) {
    const piece = body.subarray(sent, sent + PIECE_BYTES);
    if (!request.write(piece)) await Promise.race([once(request, 'drain'), response]);
    sent += piece.length;
    onProgress(sent);
  }
  if (!answered) request.end();
  return read(await response).finally(() => request.destroy()); // the rest of the body is not sent
}

async function read(response: IncomingMessage): Promise<{ status: number; body: unknown }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > REPLY_MAX_BYTES) break;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return { status: response.statusCode ?? 0, body: JSON.parse(text) };
  } catch {
    return { status: response.statusCode ?? 0, body: null };
  }
}
