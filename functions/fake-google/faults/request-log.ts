import { CUT, type FakeReply, type FakeRequest } from '../http/server.ts';
import type { Door, Fault } from './faults.ts';

/** One call at an endpoint of the fake, as the fake received it. */
export interface RequestRecord {
  readonly door: Door;
  /** The status of the answer, or that the connection was cut; null where the SMTP library answers. */
  readonly answer: number | 'cut' | null;
  readonly fault: Fault | null;
  /** The upload session of the call. */
  readonly session: string | null;
  /** Our id of the email that a search looked for. */
  readonly mail: string | null;
}

export function requestRecordOf(
  door: Door,
  { query }: FakeRequest,
  reply: FakeReply | typeof CUT,
  fault: Fault | undefined,
): RequestRecord {
  const cut = reply === CUT;
  return {
    door,
    answer: cut ? 'cut' : reply.status,
    fault: fault ?? null,
    session: query.get('upload_id') ?? (cut ? null : (reply.headers?.['x-guploader-uploadid'] ?? null)),
    mail: /^rfc822msgid:<?([0-9a-f-]{36})@/.exec(query.get('q') ?? '')?.[1] ?? null,
  };
}
