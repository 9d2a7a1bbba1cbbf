import type { Reply, Request } from '../../fake-google/http/server.ts';
import type { Entry } from '../../fake-google/tables.ts';
import type { Shown } from '../parts/context.ts';
import { html } from '../parts/html.ts';
import { count, moment, stateLabel } from '../parts/labels.ts';
import { entriesOf, type StoredMessage } from '../parts/messages.ts';
import { page } from '../parts/page.ts';

const PER_PAGE = 100;

/** `GET /`: the letters that the laptop's Gmail took, newest first, with what the ledger says of each. */
export async function inboxPage(laptop: Shown, { query }: Request): Promise<Reply> {
  const wanted = query.get('q') ?? '';
  const from = Math.max(0, Math.floor(Number(query.get('from')) || 0));
  const letters = await laptop.messages.list(wanted);
  const entries = entriesOf(laptop.google);
  const shown = letters.slice(from, from + PER_PAGE);
  const rows = shown.map((letter) => row(letter, entries.get(letter.mail ?? '')));
  const older = letters.length > from + PER_PAGE;
  const link = (at: number, name: string) => html`<a href="/?${new URLSearchParams({ q: wanted, from: String(at) })}">${name}</a>`;
  return page(laptop, {
    title: 'Inbox',
    place: '/',
    body: html`<div class="title"><h1>Inbox</h1>
<form role="search" action="/"><label class="unseen" for="q">Subject or address</label><input id="q" name="q" type="search" placeholder="Subject or address" value="${wanted}"><button>Find</button></form></div>
<div id="letters" data-live><p class="faint">${count(letters.length, 'letter')} ${wanted ? `with “${wanted}”` : 'in the laptop’s Gmail, whoever they are for'}</p>
${rows.length > 0 ? html`<ul class="letters">${rows}</ul>` : nothing(wanted)}
${(older || from > 0) && html`<p>${from > 0 && link(Math.max(0, from - PER_PAGE), 'Newer')} ${older && link(from + PER_PAGE, 'Older')}</p>`}</div>`,
  });
}

const row = (letter: StoredMessage, entry: Entry | undefined) =>
  html`<li id="letter-${letter.id}"><a href="/mails/${letter.id}"><span class="subject">${letter.subject || '(no subject)'}</span>
<span class="people">to ${letter.recipients.join(', ')} <span class="faint">from ${letter.mailbox}</span></span></a>
<span class="facts">${letter.attachments.length > 0 && html`<span class="faint">${count(letter.attachments.length, 'file')}</span> `}${stateLabel(entry)} ${moment(letter.at)}</span></li>`;

const nothing = (wanted: string) =>
  wanted
    ? html`<p><a href="/">Show all</a></p>`
    : html`<div class="empty"><p><strong>Nothing yet.</strong> <a href="/write">Write a mail</a>, or paste the <code>curl</code> line from the terminal. It shows up here by itself.</p></div>`;

/** `GET /mails`: the inbox for scripts. */
export async function inboxList({ messages: letters, google }: Shown): Promise<Reply> {
  const entries = entriesOf(google);
  const list = await letters.list();
  const body = list.map(({ mail, at, ...letter }) => ({
    ...letter,
    at: new Date(at).toISOString(),
    mailgrant: entries.get(mail ?? '') ?? null,
  }));
  return { status: 200, headers: { 'cache-control': 'no-store' }, body };
}
