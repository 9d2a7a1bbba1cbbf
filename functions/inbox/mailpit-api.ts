import type { FakeReply, FakeRequest } from '../fake-google/http/server.ts';
import { isTag } from './email-table.ts';
import { checkHtml } from './html-check.ts';
import type { OpenEmail, StoredInbox } from './inbox.ts';
import { checkLinks, linksIn } from './links.ts';
import { type Send, sendRequest } from './mailpit-send.ts';
import { headersJson, listJson, messageJson } from './mailpit-shapes.ts';

export interface InboxApi {
  readonly inbox: StoredInbox;
  /** Sends by the api function, as an app does. */
  readonly send: Send;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

type Answer = (api: InboxApi, request: FakeRequest, part: string) => Promise<FakeReply> | FakeReply;

const json = (body: unknown): FakeReply => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
});
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' };
const text = (status: number, body: string): FakeReply => ({ status, headers: TEXT, body });
const OK = text(200, 'ok');
const wrong = (why: string): FakeReply => text(400, why);
const NOT_FOUND = text(404, '404 page not found');
const LIMIT = 50;
const WAIT_MAX_MS = 600_000;

/** Mailpit's routes (mailpit.axllent.org/docs/api-v1), and `wait`. */
const ROUTES: readonly (readonly [method: string, path: RegExp, answer: Answer])[] = [
  ['GET', /^info$/, info],
  ['GET', /^webui$/, () => json(WEB_UI)],
  ['GET', /^messages$/, list],
  ['PUT', /^messages$/, setRead],
  ['DELETE', /^messages$/, remove],
  ['GET', /^search$/, search],
  ['DELETE', /^search$/, removeFound],
  ['GET', /^wait$/, wait],
  ['POST', /^send$/, sendOne],
  ['GET', /^tags$/, async ({ inbox }) => json([...(await inbox.tags()).keys()])],
  ['PUT', /^tags$/, setTags],
  ['PUT', /^tags\/(.+)$/, renameTag],
  [
    'DELETE',
    /^tags\/(.+)$/,
    async ({ inbox }, _, tag) => {
      await inbox.deleteTag(tag);
      return OK;
    },
  ],
  ['GET', /^message\/([\w]+)$/, whole],
  ['GET', /^message\/([\w]+)\/headers$/, (api, request, id) => opened(api, request, id, ({ parsed }) => json(headersJson(parsed)))],
  [
    'GET',
    /^message\/([\w]+)\/raw$/,
    (api, request, id) => opened(api, request, id, ({ raw }) => ({ status: 200, headers: TEXT, body: raw })),
  ],
  ['GET', /^message\/([\w]+\/part\/[\w.]+)$/, part],
  ['GET', /^message\/([\w]+)\/html-check$/, (api, request, id) => opened(api, request, id, htmlCheck)],
  ['GET', /^message\/([\w]+)\/link-check$/, (api, request, id) => opened(api, request, id, linkCheck)],
  ['POST', /^message\/([\w]+)\/release$/, () => wrong('message relaying is not enabled: nothing leaves this machine')],
  ['GET', /^chaos$/, () => wrong('Chaos is not enabled; see /control/faults')],
  ['PUT', /^chaos$/, () => wrong('Chaos is not enabled; see /control/faults')],
];

const WEB_UI = {
  Label: 'mailgrant',
  MessageRelay: {
    Enabled: false,
    SMTPServer: '',
    ReturnPath: '',
    AllowedRecipients: '',
    BlockedRecipients: '',
    OverrideFrom: '',
    PreserveMessageIDs: false,
    RecipientAllowlist: '',
  },
  SpamAssassin: false,
  ChaosEnabled: false,
  DuplicatesIgnored: false,
  HideDeleteAllButton: false,
};

/** Answers `/api/v1/…`, `/view/…`, `/livez` and `/readyz`; null for any other path. */
export function answerApi(api: InboxApi, request: FakeRequest): Promise<FakeReply> | FakeReply | null {
  const { path, method } = request;
  if (path === '/livez' || path === '/readyz') return text(200, 'ok');
  const [, id, kind] = /^\/view\/([\w]+?)(?:\.(html|txt))?$/.exec(path) ?? [];
  if (id && (method === 'GET' || method === 'HEAD')) return view(api, request, id, kind);
  if (!path.startsWith('/api/v1/')) return null;
  const rest = path.slice('/api/v1/'.length);
  const wanted = method === 'HEAD' ? 'GET' : method;
  for (const [verb, pattern, answer] of ROUTES) {
    const found = verb === wanted ? pattern.exec(rest) : null;
    if (found) return answer(api, request, found[1] ?? '');
  }
  return NOT_FOUND;
}

async function info({ inbox, startedAt }: InboxApi): Promise<FakeReply> {
  const [{ all, unread }, tags] = [await inbox.totals(), await inbox.tags()];
  return json({
    Version: 'mailgrant',
    LatestVersion: 'disabled',
    Database: '',
    DatabaseSize: 0,
    Messages: all,
    Unread: unread,
    Tags: Object.fromEntries(tags),
    RuntimeStats: {
      Uptime: Math.floor((Date.now() - startedAt) / 1_000),
      Memory: process.memoryUsage.rss(),
      MessagesDeleted: 0,
      SMTPAccepted: all,
      SMTPAcceptedSize: 0,
      SMTPRejected: 0,
      SMTPIgnored: 0,
    },
  });
}

async function page({ inbox }: InboxApi, { query }: FakeRequest, wanted: string): Promise<FakeReply> {
  const number = (name: string, usual: number): number => (/^\d{1,9}$/.test(query.get(name) ?? '') ? Number(query.get(name)) : usual);
  const [start, limit] = [number('start', 0), number('limit', LIMIT)];
  const before = query.get('before');
  const search = before === null ? wanted : `${wanted} "before:${before}"`;
  const timeZone = query.get('tz');
  const found = await inbox.list({ query: search, limit: limit === 0 ? -1 : limit, offset: start, ...(timeZone && { timeZone }) });
  return json(listJson(found, start, await inbox.totals(), [...(await inbox.tags()).keys()]));
}

function list(api: InboxApi, request: FakeRequest): Promise<FakeReply> {
  return page(api, request, '');
}

function search(api: InboxApi, request: FakeRequest): Promise<FakeReply> | FakeReply {
  const wanted = (request.query.get('query') ?? '').trim();
  return wanted === '' ? wrong('Error: no search query') : page(api, request, wanted);
}

async function removeFound({ inbox }: InboxApi, { query }: FakeRequest): Promise<FakeReply> {
  const wanted = (query.get('query') ?? '').trim();
  if (wanted === '') return wrong('Error: no search query');
  await inbox.remove(await inbox.ids(wanted, query.get('tz') ?? undefined));
  return OK;
}

async function remove({ inbox }: InboxApi, request: FakeRequest): Promise<FakeReply> {
  const ids = textsIn(bodyOf(request)?.['IDs']);
  await inbox.remove(ids.length > 0 ? ids : undefined);
  return OK;
}

async function setRead({ inbox }: InboxApi, request: FakeRequest): Promise<FakeReply> {
  const body = bodyOf(request);
  if (!body) return wrong('expected a JSON object');
  const [ids, wanted, read] = [textsIn(body['IDs']), String(body['Search'] ?? ''), body['Read'] === true];
  if (ids.length > 0 && wanted !== '') return wrong('You may specify either IDs or a search query, not both');
  const found = wanted === '' ? null : await inbox.ids(wanted, request.query.get('tz') ?? undefined);
  await inbox.setRead(ids.length > 0 ? ids : found, read);
  return OK;
}

/** `query`, `count` (1), `timeout` in milliseconds (5,000): the newest match as a whole message, or 408. */
async function wait({ inbox }: InboxApi, { query, closed }: FakeRequest): Promise<FakeReply> {
  const number = (name: string, usual: number): number => Number(query.get(name) ?? usual);
  const [count, timeoutMs] = [number('count', 1), number('timeout', 5_000)];
  if (!(count >= 1) || !(timeoutMs >= 0 && timeoutMs <= WAIT_MAX_MS))
    return wrong(`count: expected a number from 1; timeout: expected milliseconds from 0 to ${WAIT_MAX_MS}`);
  const wanted = query.get('query') ?? '';
  const found = await inbox.wait(wanted, count, timeoutMs, closed);
  const email = found && (await inbox.open(found.id));
  if (email) return json(messageJson(email));
  const { emails, all } = await inbox.list({ limit: 10 });
  const there = emails.map((one) => `  to ${one.recipients.join(', ')}: ${one.subject}`);
  return text(
    408,
    [
      `No ${count > 1 ? `${count} emails` : 'email'} matching ${wanted || '(any)'} within ${timeoutMs} ms. In the inbox: ${all}`,
      ...there,
    ].join('\n'),
  );
}

async function sendOne({ send, inbox }: InboxApi, request: FakeRequest): Promise<FakeReply> {
  const body = bodyOf(request);
  if (!body) return { ...json({ Error: 'expected a JSON object' }), status: 400 };
  const sent = await send(sendRequest(body));
  if ('error' in sent) return { ...json({ Error: sent.error }), status: 400 };
  await inbox.summary(sent.id);
  return json({ ID: sent.id });
}

async function setTags({ inbox }: InboxApi, request: FakeRequest): Promise<FakeReply> {
  const body = bodyOf(request);
  if (!body) return wrong('expected a JSON object');
  const tags = textsIn(body['Tags']).map((tag) => tag.trim());
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined) return wrong(`Invalid tag: ${bad.slice(0, 40)}`);
  await inbox.setTags(textsIn(body['IDs']), tags);
  return OK;
}

async function renameTag({ inbox }: InboxApi, request: FakeRequest, tag: string): Promise<FakeReply> {
  const name = String(bodyOf(request)?.['Name'] ?? '').trim();
  if (!isTag(name)) return wrong('Invalid tag name');
  await inbox.renameTag(tag, name);
  return OK;
}

async function whole(api: InboxApi, request: FakeRequest, id: string): Promise<FakeReply> {
  return opened(api, request, id, async (email) => {
    await api.inbox.setRead([email.summary.id], true); // as Mailpit does
    return json(messageJson(email));
  });
}

function part(api: InboxApi, request: FakeRequest, path: string): Promise<FakeReply> {
  const [id = '', , number] = path.split('/');
  return opened(api, request, id, ({ parsed }) => {
    const found = [...parsed.attachments, ...parsed.inline].find((one) => one.id === number);
    if (!found) return NOT_FOUND;
    const type = /^[\w.+-]+\/[\w.+-]+$/.test(found.contentType) ? found.contentType : 'application/octet-stream';
    return {
      status: 200,
      headers: {
        ...TEXT,
        'content-type': type,
        // The file comes from the email's sender: a browser saves it, and never shows it in the origin of these pages.
        'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(found.filename || found.cid).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)}`,
        'content-security-policy': "default-src 'none'; sandbox",
      },
      body: found.content,
    };
  });
}

async function htmlCheck({ parsed }: OpenEmail): Promise<FakeReply> {
  if (parsed.html === '') return wrong('message does not contain HTML');
  const checked = await checkHtml(parsed.html);
  return checked ? json(checked) : text(501, 'The HTML check needs the package caniemail: npm install --save-dev caniemail');
}

async function linkCheck({ parsed }: OpenEmail): Promise<FakeReply> {
  const Links = await checkLinks(linksIn(parsed));
  const failed = ({ StatusCode, Status }: (typeof Links)[number]): boolean =>
    StatusCode === 0 ? !Status.startsWith('not asked') : StatusCode >= 400;
  return json({ Errors: Links.filter(failed).length, Links });
}

async function view(api: InboxApi, request: FakeRequest, wanted: string, kind: string | undefined): Promise<FakeReply> {
  return opened(api, request, wanted, ({ summary, parsed }) => {
    if (kind === 'txt') return text(200, parsed.text);
    // A browser shows it as the page of the email does: without scripts, and without network.
    if (kind === undefined) return { status: 303, headers: { location: `/mails/${summary.id}` } };
    if (parsed.html === '') return text(404, 'This message does not contain a HTML part');
    if (request.headers['sec-fetch-dest'] !== undefined) return { status: 303, headers: { location: `/mails/${summary.id}/html` } };
    return {
      status: 200,
      headers: { ...TEXT, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': 'sandbox' },
      body: parsed.html,
    };
  });
}

/** Answers for an id, or for `latest`, the newest email that matches `query`. */
async function opened(
  { inbox }: InboxApi,
  { query }: FakeRequest,
  id: string,
  answer: (email: OpenEmail) => Promise<FakeReply> | FakeReply,
): Promise<FakeReply> {
  const [newest] = id === 'latest' ? (await inbox.list({ query: query.get('query') ?? '', limit: 1 })).emails : [];
  const email = await inbox.open(newest?.id ?? id);
  return email ? answer(email) : NOT_FOUND;
}

function bodyOf({ body }: FakeRequest): Record<string, unknown> | null {
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []);
