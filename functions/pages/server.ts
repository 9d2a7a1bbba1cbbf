import { readFileSync } from 'node:fs';
import { type FakeReply, type FakeRequest, listen, type Running, type ServerOptions } from '../fake-google/http/server.ts';
import { openInbox, type StoredInbox } from '../inbox/inbox.ts';
import { answerApi, type InboxApi } from '../inbox/mailpit-api.ts';
import type { LocalStack, PageContext } from './parts/context.ts';
import { plainPage } from './parts/page.ts';
import { sendAndWait } from './parts/send-and-wait.ts';
import { eventsPage, playEvent } from './views/events.ts';
import { faultsPage, switchFault } from './views/faults.ts';
import { changeInbox, inboxList, inboxPage } from './views/inbox.ts';
import { decideAbout, entryPage, ledgerPage } from './views/ledger.ts';
import { liveStream } from './views/live.ts';
import { googleLine, logPage } from './views/log.ts';
import { bounceRecipient, messagePart } from './views/message.ts';
import { sendWritten, writePage } from './views/write.ts';

type Answer = (laptop: PageContext, request: FakeRequest) => FakeReply | Promise<FakeReply>;

const SHOWS: Readonly<Record<string, Answer>> = {
  '/': inboxPage,
  '/mails': inboxList,
  '/write': writePage,
  '/ledger': ledgerPage,
  '/faults': faultsPage,
  '/events': eventsPage,
  '/log': logPage,
  '/live': liveStream,
  '/pages.css': () => file('pages.css', 'text/css'),
  '/pages.js': () => file('pages.js', 'text/javascript'),
};

const DOES: Readonly<Record<string, (laptop: PageContext, form: FormData) => FakeReply | Promise<FakeReply>>> = {
  '/write': sendWritten,
  '/mails': changeInbox,
  '/ledger': decideAbout,
  '/faults': switchFault,
  '/events': playEvent,
  '/bounces': bounceRecipient,
};

/** The running pages, with the inbox that they show. */
export interface Pages extends Running {
  readonly inbox: StoredInbox;
}

/**
 * Starts the local stack's pages: inbox, a form to write, ledger, faults, events, log; and the inbox's API in the form of
 * Mailpit's, for tests.
 */
export async function startPages(laptop: LocalStack, address: ServerOptions = { port: 0 }): Promise<Pages> {
  const { google, lines, inboxFile } = laptop;
  const inbox = openInbox(google, inboxFile);
  const shown: PageContext = { ...laptop, inbox };
  const unwatch = google.watch((seen) => seen && lines.add('google', JSON.stringify(googleLine(seen, google))));
  const api: InboxApi = { inbox, send: (request) => sendAndWait(shown, request), startedAt: Date.now() };
  const running = await listen(address, (request) => answerApi(api, request) ?? answer(shown, request));
  return {
    ...running,
    inbox,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      unwatch();
      inbox.close();
    },
  };
}

async function answer(laptop: PageContext, request: FakeRequest): Promise<FakeReply> {
  const { method, path } = request;
  if (method === 'POST' && Object.hasOwn(DOES, path)) {
    const form = await formOf(request);
    return form ? (DOES[path]?.(laptop, form) ?? missing(laptop)) : plainPage(laptop, 400, 'No form', 'The request holds no form.');
  }
  if (method !== 'GET' && method !== 'HEAD') return { ...plainPage(laptop, 405, 'Not here', 'This can only be looked at.') };
  if (Object.hasOwn(SHOWS, path)) return SHOWS[path]?.(laptop, request) ?? missing(laptop);
  const [, id = '', part = '', index = ''] =
    /^\/mails\/([0-9a-f]{1,32})(?:\/(html|source|check|attachments)(?:\/(\d{1,4}))?)?$/.exec(path) ?? [];
  if (id) return messagePart(laptop, id, part, index === '' ? -1 : Number(index));
  const mail = /^\/ledger\/([0-9a-f-]{36})$/.exec(path)?.[1];
  return mail ? entryPage(laptop, mail) : missing(laptop);
}

const missing = (laptop: PageContext): FakeReply => plainPage(laptop, 404, 'Not found', 'There is no such page.');

/** The fields of a posted form, with or without files; null if the body is no form. */
const formOf = ({ body, headers }: FakeRequest): Promise<FormData | null> =>
  new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData().catch(() => null);

const file = (name: string, type: string): FakeReply => ({
  status: 200,
  headers: { 'content-type': `${type}; charset=utf-8`, 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' },
  body: readFileSync(new URL(`./${name}`, import.meta.url)),
});
