import { CUT, type FakeReply, type FakeRequest } from '../http/server.ts';
import type { Door, Fault } from './faults.ts';

/** One call at a door of the fake, as it saw it. */
export interface RequestRecord {
  readonly door: Door;
  /** The status it answered, or that the connection was cut; null where SMTP's own library answers. */
  readonly answer: number | 'cut' | null;
  readonly fault: Fault | null;
  /** The upload session it was about. */
  readonly session: string | null;
  /** The id of ours that a search asked for. */
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
