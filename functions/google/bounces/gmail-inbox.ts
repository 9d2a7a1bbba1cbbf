import type { gmail_v1 } from 'googleapis/build/src/apis/gmail/v1.js';
import type { MailboxReader, ReceivedHeaders } from '../../mail/bounces/inbox-ports.ts';
import { REPORT_HEADERS } from '../../mail/bounces/read-report.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { readGmailFailure } from '../gmail/gmail-failure.ts';

const TIMEOUT_MS = 10_000;
const PAGE = 100;

/**
 * A mailbox as Google's own client reads it, which is loaded here: no email waits for it. Headers alone, but for mailboxes of
 * `via: smtp`, whose scope reads whole messages.
 */
export async function openMailbox({ via }: Mailbox, token: AccessToken, baseUrl: string, now: () => number): Promise<MailboxReader> {
  const { gmail_v1: api } = (await import('googleapis/build/src/apis/gmail/v1.js')).default;
  const { OAuth2Client } = (await import('google-auth-library/build/src/auth/oauth2client.js')).default; // CommonJS: a bundle has it under `default` alone
  const auth = new OAuth2Client();
  auth.setCredentials({ access_token: token.secret.reveal() });
  const { users } = new api.Gmail({});
  const options = { auth, rootUrl: `${baseUrl}/`, timeout: TIMEOUT_MS, retry: false, redirect: 'manual' } as const;
  const me = { userId: 'me' } as const;
  /** What Gmail answered; null where it says that there is no such thing. */
  const call = async <T>(made: Promise<{ readonly data: T }>): Promise<T | null> => {
    try {
      return (await made).data;
    } catch (error) {
      const { status, data } = (error as { response?: { status?: unknown; data?: unknown } }).response ?? {};
      if (status === 404) return null;
      if (typeof status !== 'number') throw new MailFailure('google_unavailable', 'Gmail did not answer');
      throw readGmailFailure({ status, headers: {}, body: Buffer.from(JSON.stringify(data ?? null)) }, 'open', now()); // the error itself may hold the token
    }
  };

  return {
    async since(startHistoryId) {
      for (let pageToken: string | undefined; ; ) {
        const asked = { ...me, startHistoryId, historyTypes: ['messageAdded'], maxResults: PAGE, ...(pageToken && { pageToken }) };
        const page = await call(users.history.list(asked, options));
        if (!page) return null;
        const records = page.history ?? [];
        const ids = records.flatMap(({ messagesAdded }) =>
          (messagesAdded ?? []).flatMap(({ message }) => (isSent(message) ? [] : (message?.id ?? []))),
        );
        const next = page.nextPageToken ?? undefined;
        const historyId = next === undefined ? page.historyId : records.at(-1)?.id;
        if (historyId) return { ids: [...new Set(ids)], historyId, more: next !== undefined };
        if (next === undefined) throw new MailFailure('unexpected', 'Gmail answered no point of its history');
        pageToken = next;
      }
    },
    async latest() {
      const { historyId } = (await call(users.getProfile(me, options))) ?? {};
      if (historyId) return historyId;
      throw new MailFailure('unexpected', 'Gmail answered no point of its history');
    },
    async recent(count) {
      const ids: string[] = [];
      for (let pageToken: string | undefined; ids.length < count; ) {
        const page: gmail_v1.Schema$ListMessagesResponse | null = await call(
          users.messages.list({ ...me, maxResults: PAGE, includeSpamTrash: true, ...(pageToken && { pageToken }) }, options),
        );
        ids.push(...(page?.messages ?? []).flatMap(({ id }) => id ?? []));
        pageToken = page?.nextPageToken ?? undefined;
        if (pageToken === undefined) break;
      }
      return ids.slice(0, count);
    },
    async read(id) {
      const found = await call(users.messages.get({ ...me, id, format: 'metadata', metadataHeaders: [...REPORT_HEADERS] }, options));
      return found && messageOf(id, found);
    },
    async raw(id) {
      if (via !== 'smtp') return null;
      const found = await call(users.messages.get({ ...me, id, format: 'raw' }, options)).catch((error: unknown) => {
        if (error instanceof MailFailure && /\b403\b/.test(error.message) && error.code === 'unexpected') return null; // gmail.metadata beside it
        throw error;
      });
      return found?.raw ? Buffer.from(found.raw, 'base64url').toString('latin1') : null;
    },
    async thread(id) {
      const wanted = { ...me, id, format: 'metadata', metadataHeaders: ['Message-ID', 'X-Mailgrant-Id'] };
      const found = await call(users.threads.get(wanted, options));
      return (found?.messages ?? []).map(headersOf);
    },
  };
}

/** What the mailbox sends itself is in its history too: it need not be read. */
const isSent = (message: gmail_v1.Schema$Message | undefined): boolean => message?.labelIds?.includes('SENT') === true;

const headersOf = ({ payload }: gmail_v1.Schema$Message) =>
  (payload?.headers ?? []).flatMap(({ name, value }) => (name ? [{ name, value: value ?? '' }] : []));

const messageOf = (id: string, found: gmail_v1.Schema$Message): ReceivedHeaders => ({
  id,
  threadId: found.threadId ?? id,
  labels: found.labelIds ?? [],
  at: Number(found.internalDate ?? 0),
  bytes: found.sizeEstimate ?? 0,
  headers: headersOf(found),
});
