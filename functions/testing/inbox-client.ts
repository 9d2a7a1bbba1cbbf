/** An address as the inbox shows it. */
export interface InboxAddress {
  readonly Name: string;
  readonly Address: string;
}

export interface InboxAttachment {
  readonly PartID: string;
  readonly FileName: string;
  readonly ContentType: string;
  readonly ContentID: string;
  readonly Size: number;
}

interface Envelope {
  readonly ID: string;
  readonly MessageID: string;
  readonly From: InboxAddress;
  readonly To: readonly InboxAddress[];
  readonly Cc: readonly InboxAddress[];
  readonly Bcc: readonly InboxAddress[];
  readonly ReplyTo: readonly InboxAddress[];
  readonly Subject: string;
  readonly Tags: readonly string[];
  readonly Size: number;
}

/** An email in a list, in the shape of Mailpit's API. */
export interface InboxSummary extends Envelope {
  readonly Read: boolean;
  /** When it arrived, as ISO 8601. */
  readonly Created: string;
  readonly Attachments: number;
  readonly Snippet: string;
}

/** A whole email, in the shape of Mailpit's API. */
export interface InboxMessage extends Envelope {
  readonly Date: string;
  readonly Text: string;
  readonly HTML: string;
  readonly Attachments: readonly InboxAttachment[];
  readonly Inline: readonly InboxAttachment[];
}

/** Which emails: each that is given must match. Addresses and subject match where they contain the text, in any case. */
export interface EmailMatch {
  readonly to?: string;
  readonly from?: string;
  readonly subject?: string;
  /** Mailpit's search, such as `tag:invoice is:unread`. */
  readonly query?: string;
}

export interface WaitFor extends EmailMatch {
  /** How many emails must match; 1 by default. */
  readonly count?: number;
  /** How long to wait, in milliseconds; 5,000 by default. */
  readonly timeoutMs?: number;
}

/** What the laptop's Gmail took, whoever it was for. */
export interface Inbox {
  readonly url: string;
  /** Waits until an email matches, and answers the newest one that does; rejects after the time-out. */
  wait(match: WaitFor): Promise<InboxMessage>;
  /** Newest first. */
  list(match?: EmailMatch): Promise<InboxSummary[]>;
  get(id: string): Promise<InboxMessage>;
  /** The MIME message, as Gmail got it. */
  raw(id: string): Promise<string>;
  attachment(id: string, part: string): Promise<Uint8Array>;
  /** Deletes one, or all. */
  delete(id?: string): Promise<void>;
}

const WAIT_MS = 5_000;
const PAGE = 250;

export function createInbox(url: string): Inbox {
  const call = async (path: string, init?: RequestInit): Promise<Response> => {
    const reply = await fetch(`${url}/api/v1/${path}`, init);
    if (reply.ok) return reply;
    throw new Error(`mailgrant inbox: ${reply.status} ${(await reply.text()).trim()}`);
  };
  const get = async (id: string): Promise<InboxMessage> => (await call(`message/${id}`)).json() as Promise<InboxMessage>;
  return {
    url,
    get,
    async wait({ count = 1, timeoutMs = WAIT_MS, ...match }) {
      const reply = await call(`wait?${new URLSearchParams({ query: queryOf(match), count: String(count), timeout: String(timeoutMs) })}`);
      return reply.json() as Promise<InboxMessage>;
    },
    async list(match = {}) {
      const query = queryOf(match);
      const found: InboxSummary[] = [];
      for (;;) {
        const page = new URLSearchParams({ start: String(found.length), limit: String(PAGE), ...(query && { query }) });
        const { messages } = (await (await call(`${query ? 'search' : 'messages'}?${page}`)).json()) as { messages: InboxSummary[] };
        found.push(...messages);
        if (messages.length < PAGE) return found;
      }
    },
    raw: async (id) => (await call(`message/${id}/raw`)).text(),
    attachment: async (id, part) => new Uint8Array(await (await call(`message/${id}/part/${part}`)).arrayBuffer()),
    async delete(id) {
      await call('messages', { method: 'DELETE', ...(id !== undefined && { body: JSON.stringify({ IDs: [id] }) }) });
    },
  };
}

function queryOf({ query, ...fields }: EmailMatch): string {
  const terms = Object.entries(fields).map(([name, text]) => `"${name}:${String(text).replaceAll('"', '')}"`);
  return [...terms, ...(query ? [query] : [])].join(' ');
}
