import { ERROR_REPLIES } from '../http/error-replies.ts';
import { type FakeReply, type FakeRequest, jsonOf } from '../http/server.ts';
import type { Door } from './faults.ts';

/** Which assumptions the fake Gmail breaks, by the ids of functions/google/assumptions.ts. */
export interface Assumptions {
  /** The broken assumptions. */
  readonly broken: Set<string>;
  /** The answer of a service, changed for each broken assumption. */
  answer(door: Door, request: FakeRequest, effect: () => FakeReply): FakeReply;
}

type Break = (call: {
  readonly door: Door;
  readonly request: FakeRequest;
  readonly reply: () => FakeReply;
  readonly seen: Map<string, string>;
}) => FakeReply | null;

/** A fake that keeps every assumption until one is added to `broken`. */
export function createAssumptions(): Assumptions {
  const broken = new Set<string>();
  const seen = new Map<string, string>();
  return {
    broken,
    answer(door, request, effect) {
      if (broken.size === 0) return effect();
      let made: FakeReply | null = null;
      const reply = (): FakeReply => {
        made ??= effect();
        return made;
      };
      for (const id of broken) {
        const other = BREAKS[id]?.({ door, request, reply, seen });
        if (other) return other;
      }
      return reply();
    },
  };
}

/** The control endpoint: POST `{"broken": [ids]}` sets the broken assumptions, GET lists them, DELETE clears them. */
export function controlAssumptions(request: FakeRequest, { broken }: Assumptions): FakeReply {
  if (request.method === 'POST') {
    const ids = (jsonOf(request) as { broken?: unknown } | null)?.broken;
    if (!Array.isArray(ids) || !ids.every((id) => BREAKABLE.includes(id)))
      return { status: 400, body: { error: `broken: expected a list of ${BREAKABLE.join(', ')}` } };
    broken.clear();
    for (const id of ids as string[]) broken.add(id);
  }
  if (request.method === 'DELETE') broken.clear();
  return { status: 200, body: { broken: [...broken] } };
}

const sessionOf = ({ query }: FakeRequest): string => query.get('upload_id') ?? '';
const idOf = ({ body }: FakeReply): string | null => (body as { id?: string } | undefined)?.id ?? null;
const partial = (received: number): FakeReply => ({ status: 308, headers: received > 0 ? { range: `bytes=0-${received - 1}` } : {} });
const message = (id: string): FakeReply => ({ status: 200, body: { id, threadId: id, labelIds: ['SENT'] } });

/** Changes a header of a message that is read; null removes it. */
const header =
  (name: string, value: string | null): Break =>
  ({ door, reply }) => {
    if (door !== 'search' && door !== 'inbox') return null;
    const answer = reply();
    const { messages } = (answer.body ?? {}) as { messages?: Read[] }; // those of a thread
    const read = (answer.body ?? {}) as Read;
    if (messages) return { ...answer, body: { ...read, messages: messages.map(changed) } };
    return read.payload ? { ...answer, body: changed(read) } : answer;
    function changed(one: Read): Read {
      if (!one.payload) return one;
      const others = one.payload.headers.filter((header) => header.name.toLowerCase() !== name);
      return { ...one, payload: { headers: value === null ? others : [...others, { name, value }] } };
    }
  };

interface Read {
  readonly payload?: { readonly headers: readonly { readonly name: string; readonly value: string }[] };
}

const BREAKS: Readonly<Record<string, Break>> = {
  'lost-reply-is-told': ({ door, reply }) => (door === 'ask' && idOf(reply()) ? ERROR_REPLIES.session_gone : null),
  'refusal-sends-nothing'({ door, request, reply, seen }) {
    const session = sessionOf(request);
    if (door === 'transfer' && reply().status === 400) seen.set(session, 'refused, and yet taken');
    return door === 'ask' && seen.has(session) ? message('19a00000000000ff') : null;
  },
  'whole-is-answered-at-once': ({ door, request, reply }) =>
    door === 'transfer' && reply().status === 200 ? partial(request.body.length) : null,
  'range-is-kept': ({ door, reply }) => (door === 'ask' && reply().status === 308 ? partial(0) : null),
  'cut-transfer-continues': ({ door, reply }) => (door === 'ask' && reply().status === 308 ? ERROR_REPLIES.session_gone : null),
  'one-session-one-message'({ door, request, reply, seen }) {
    const session = sessionOf(request);
    if (door !== 'transfer' || reply().status !== 200) return null;
    if (seen.has(session)) return message(`${idOf(reply())}0`);
    seen.set(session, 'taken');
    return null;
  },
  'session-lives-a-week': ({ door, reply }) => (door === 'ask' && idOf(reply()) ? { status: 410, body: '' } : null),
  'gone-session-is-404-or-410': ({ door, reply }) => (door === 'ask' && reply().status === 404 ? ERROR_REPLIES.unavailable : null),
  'send-scope-asks': ({ door }) => (door === 'ask' ? ERROR_REPLIES.missing_scope : null),
  'second-token-may-ask'({ door, request, seen }) {
    const [session, token] = [sessionOf(request), request.headers['authorization'] ?? ''];
    if (door === 'transfer') seen.set(session, token);
    return door === 'ask' && seen.has(session) && seen.get(session) !== token ? ERROR_REPLIES.session_gone : null;
  },
  'thread-id-in-answer'({ door, reply }) {
    const id = door === 'transfer' || door === 'ask' ? idOf(reply()) : null;
    return id ? { status: 200, body: { id, labelIds: ['SENT'] } } : null;
  },
  'message-id-is-kept': header('message-id', '<CA+replaced@mail.gmail.com>'),
  'own-header-is-kept': header('x-mailgrant-id', null),
  'encoded-names-are-kept': header('to', 'you@example.com'),
  'empty-group-is-accepted': ({ door, request }) =>
    door === 'transfer' && /^To: *[\w-]+:;/im.test(request.body.toString('latin1')) ? ERROR_REPLIES.invalid_to : null,
  'equal-messages-are-two'({ door, request, reply, seen }) {
    const id = door === 'transfer' ? idOf(reply()) : null;
    if (!id) return null;
    const bytes = request.body.toString('latin1');
    const first = seen.get(bytes) ?? id;
    seen.set(bytes, first);
    return message(first);
  },
  'search-finds-in-seconds': ({ door, request }) =>
    door === 'search' && request.query.has('q') ? { status: 200, body: { resultSizeEstimate: 0 } } : null,
  'minute-quota-is-named': ({ door }) =>
    door === 'open' ? { status: 429, body: { error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Slow down.' } } } : null,
};

/** The ids that can be broken. */
export const BREAKABLE: readonly string[] = Object.keys(BREAKS);
