import { setTimeout as sleep } from 'node:timers/promises';
import type { Door, Faults } from './faults/faults.ts';
import { type RequestRecord, requestRecordOf } from './faults/request-log.ts';
import { ERROR_REPLIES, type ErrorReplyName } from './http/error-replies.ts';
import { CUT, type FakeReply, type FakeRequest } from './http/server.ts';
import type { Gmail } from './services/gmail.ts';

/** The endpoint of a request; querying an upload session is another endpoint than uploading to it. */
export function doorOf({ method, path, query, headers }: FakeRequest): Door | null {
  if (path === '/token') return 'token';
  if (path === '/o/oauth2/v2/auth') return 'consent';
  if (path === '/revoke') return 'revoke';
  if (path === '/oauth2/v1/certs') return 'certs';
  if (path === '/tokeninfo' || path === '/v1/userinfo' || path.endsWith('/settings/sendAs')) return 'inspect';
  if (path.endsWith(':signJwt')) return 'sign';
  if (path.endsWith('/users/me/profile')) return 'profile';
  if (
    path.endsWith('/services:batchGet') ||
    /^\/v2\/projects\/[^/]+\/locations\/-\/services$/.test(path) ||
    /^\/v1\/projects\/-\/serviceAccounts\/[^/:]+$/.test(path)
  )
    return 'project';
  if (path.startsWith('/computeMetadata/v1/instance/service-accounts/')) return 'identity';
  if (/^\/v1\/projects\/[^/]+\/secrets/.test(path)) return 'secret';
  if (/^\/v1\/projects\/[^/]+\/(topics|subscriptions)\//.test(path)) return 'publish';
  if (/^\/v2\/projects\/[^/]+\/locations\/[^/]+\/queues\//.test(path)) return 'task';
  if (/^(\/upload)?\/storage\/v1\//.test(path)) return 'store';
  if (/^\/v1\/projects\/[^/]+\/databases/.test(path)) return 'ledger';
  if (/^\/gmail\/v1\/users\/[^/]+\/(watch|stop|history|threads\/[^/]+)$/.test(path)) return 'inbox';
  if (method === 'GET' && /^\/gmail\/v1\/users\/me\/messages(\/[^/]+)?$/.test(path)) return 'search';
  if (!/^\/(upload\/)?gmail\/v1\/users\/[^/]+\/messages\/send$/.test(path)) return null;
  if (method === 'PUT') return /^bytes \*/.test(headers['content-range'] ?? '') ? 'ask' : 'transfer';
  return query.get('uploadType') === 'resumable' ? 'open' : 'send';
}

/** Serves a call at its endpoint: as the service does, or as the pending fault says. */
export async function serveDoor(
  door: Door,
  request: FakeRequest,
  faults: Faults,
  effect: (door: Door, request: FakeRequest) => FakeReply,
  gmail: Gmail,
  tell: (seen: RequestRecord) => void,
): Promise<FakeReply | typeof CUT> {
  const fault = faults.take(door);
  const told = <T extends FakeReply | typeof CUT>(reply: T): T => {
    tell(requestRecordOf(door, request, reply, fault));
    return reply;
  };
  if (fault?.reset === 'before') {
    if (door === 'transfer' && fault.keepBytes) gmail.keep(request, fault.keepBytes);
    await sleep(fault.delayMs ?? 0, undefined, { ref: false }); // must not keep a stopped server's process alive
    return told(CUT);
  }
  const held =
    door === 'transfer' && fault?.takenAfterMs !== undefined ? gmail.hold(request, fault.range === 'half' ? 'half' : 'whole') : null;
  if (held) {
    const { takenAfterMs = 0, range } = fault ?? {};
    if (takenAfterMs === 0) held.complete();
    else setTimeout(held.complete, takenAfterMs).unref();
    if (range) return told({ status: 308, headers: range === 'none' ? {} : { range: `bytes=0-${held.bytes - 1}` } });
  }
  const canned: FakeReply | null = fault?.answer
    ? ERROR_REPLIES[fault.answer as ErrorReplyName]
    : fault?.status
      ? { status: fault.status, body: fault.body ?? '', headers: fault.headers ?? {} }
      : null;
  const made = canned ?? effect(door, request);
  const reply = made.status === 200 && fault?.successStatus ? { ...made, status: fault.successStatus } : made;
  if (fault?.delayMs) await sleep(fault.delayMs, undefined, { ref: false });
  return told(fault?.reset === 'after' ? CUT : reply);
}
