import type { FakeReply, FakeRequest } from '../../fake-google/http/server.ts';
import type { EmailSummary } from '../../inbox/email-table.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { count, moment, stateLabel } from '../parts/labels.ts';
import { page, plainPage, seeOther } from '../parts/page.ts';
import { plainText, subjectOf } from '../parts/plain-text.ts';

const PER_PAGE = 100;

/** `GET /`: the emails that the laptop's Gmail took, newest first, with what the ledger says of each. */
export async function inboxPage(laptop: PageContext, { query }: FakeRequest): Promise<FakeReply> {
  const wanted = query.get('q') ?? '';
  const from = Math.max(0, Math.floor(Number(query.get('from')) || 0));
  const [{ emails, all, unread }, tags] = [
    await laptop.inbox.list({ query: wanted, limit: PER_PAGE, offset: from }),
    await laptop.inbox.tags(),
  ];
  const rows = emails.map((email) => row(laptop, email));
  const older = all > from + PER_PAGE;
  const link = (at: number, name: string) => html`<a href="/?${new URLSearchParams({ q: wanted, from: String(at) })}">${name}</a>`;
  return page(laptop, {
    title: unread > 0 && wanted === '' ? `(${unread}) Inbox` : 'Inbox',
    place: '/',
    body: html`<div class="title"><h1>Inbox</h1>
<form role="search" action="/"><label class="unseen" for="q">Search subjects, addresses and bodies</label><input id="q" name="q" type="search" placeholder="Search, such as to:ann or is:unread" value="${wanted}"><button>Find</button></form></div>
<div id="letters" data-live><p class="faint">${count(all, 'email')} ${wanted ? html`with “${wanted}”` : 'in the laptop’s Gmail, whoever they are for'}${unread > 0 && `, ${unread} unread`}</p>
${tags.size > 0 && html`<ul class="tags" aria-label="Tags">${[...tags].map(([tag, n]) => html`<li>${tagLink(tag)} <span class="faint">${n}</span></li>`)}</ul>`}
${rows.length > 0 ? html`<ul class="letters">${rows}</ul>` : nothing(wanted)}
${(older || from > 0) && html`<p>${from > 0 && link(Math.max(0, from - PER_PAGE), 'Newer')} ${older && link(from + PER_PAGE, 'Older')}</p>`}
${all > 0 && allForm(wanted, all)}</div>`,
  });
}

const allForm = (wanted: string, all: number): Html =>
  html`<form method="post" action="/mails" class="actions"><input type="hidden" name="q" value="${wanted}">
<button name="do" value="read">Mark ${wanted ? 'these' : 'all'} read</button> <button name="do" value="unread">Mark ${wanted ? 'these' : 'all'} unread</button>
<button name="do" value="delete" class="danger">Delete ${wanted ? `these ${all}` : `all ${all}`}</button></form>`;

export const tagLink = (tag: string): Html => html`<a class="tag" href="/?${new URLSearchParams({ q: `"tag:${tag}"` })}">${tag}</a>`;

const row = ({ google }: PageContext, email: EmailSummary): Html =>
  html`<li id="letter-${email.id}" class="${email.read ? 'read' : 'unread'}"><a href="/mails/${email.id}"><span class="subject">${!email.read && html`<span class="unseen">Unread: </span>`}${subjectOf(email.subject)}</span>
<span class="people">to ${plainText(email.recipients.join(', '))} <span class="faint">from ${email.mailbox}</span></span></a>
<span class="facts">${email.tags.map((tag) => html`${tagLink(tag)} `)}${email.attachments > 0 && html`<span class="faint">${count(email.attachments, 'file')}</span> `}${stateLabel(google.ledgerEntryOf(email))} ${moment(email.created)}</span></li>`;

const nothing = (wanted: string) =>
  wanted
    ? html`<p><a href="/">Show all</a></p>`
    : html`<div class="empty"><p><strong>Nothing yet.</strong> <a href="/write">Write an email</a>, or paste the <code>curl</code> line from the terminal. It shows up here by itself.</p></div>`;

/** `GET /mails`: the inbox for scripts. */
export async function inboxList({ inbox, google }: PageContext): Promise<FakeReply> {
  const { emails } = await inbox.list({ limit: -1 });
  const body = emails.map(({ created, from, ...email }) => ({
    ...email,
    from: from?.Address ?? '',
    at: new Date(created).toISOString(),
    mailgrant: google.ledgerEntryOf(email),
  }));
  return { status: 200, headers: { 'cache-control': 'no-store' }, body };
}

/** `POST /mails`: marks, tags or deletes one email by its id, or all that a search finds. */
export async function changeInbox(laptop: PageContext, form: FormData): Promise<FakeReply> {
  const { inbox } = laptop;
  const field = (name: string): string => String(form.get(name) ?? '').trim();
  const [id, wanted, action] = [field('id'), field('q'), field('do')];
  const ids = id !== '' ? [id] : wanted !== '' ? await inbox.ids(wanted) : null;
  const back = id === '' ? `/?${new URLSearchParams(wanted ? { q: wanted } : {})}` : `/mails/${id}`;
  if (action === 'delete') await inbox.remove(ids ?? undefined);
  else if (action === 'read' || action === 'unread') await inbox.setRead(ids, action === 'read');
  else if (action === 'tag' && id !== '')
    await inbox.setTags(
      [id],
      field('tags')
        .split(',')
        .map((tag) => tag.trim())
        .filter(Boolean),
    );
  else return plainPage(laptop, 400, 'No such action', 'An email can be deleted, tagged, and marked as read or unread.');
  return seeOther(action === 'delete' || action === 'unread' ? '/' : back.replace(/\?$/, ''));
}
