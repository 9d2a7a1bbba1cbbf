import type { Reply } from '../../fake-google/http/server.ts';
import type { Entry } from '../../fake-google/tables.ts';
import type { Shown } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { failureOf, meaningOf, moment, prose, stateLabel } from '../parts/labels.ts';
import type { StoredMessage } from '../parts/messages.ts';
import { page, plainPage } from '../parts/page.ts';
import { linesOf } from './log.ts';

const SHOWN = 200;

/** `GET /ledger`: what became of every mail, sent or not. */
export async function ledgerPage(laptop: Shown): Promise<Reply> {
  const entries = laptop.google.ledgerEntries();
  const arrived = Map.groupBy(await laptop.messages.list(), ({ mail }) => mail ?? '');
  const sums = [...Map.groupBy(entries, (entry) => String(entry['state']))].map(
    ([state, all]) => html`<li>${stateLabel({ state })} ${all.length}</li>`,
  );
  const rows = entries.slice(0, SHOWN).map((entry) => row(entry, arrived.get(String(entry['id'])) ?? []));
  return page(laptop, {
    title: 'Ledger',
    place: '/ledger',
    body: html`<h1>Ledger</h1><p class="faint">What became of every mail that was asked for: tried, sent, or why not. It keeps no content, and addresses only as hashes.</p>
<div id="ledger" data-live><ul class="sums">${sums}</ul>
${rows.length > 0 ? table(rows) : html`<div class="empty"><p><strong>No mail was asked for yet.</strong> <a href="/write">Write one.</a></p></div>`}
${entries.length > SHOWN && html`<p class="faint">The newest ${SHOWN} of ${entries.length}.</p>`}</div>`,
  });
}

const table = (rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="The ledger"><table><thead><tr><th scope="col">Mail</th><th scope="col">State</th><th scope="col" class="wide">Attempts</th><th scope="col" class="wide">Letters</th><th scope="col">Why</th><th scope="col" class="wide">Caller</th><th scope="col" class="wide">Accepted</th></tr></thead><tbody>${rows}</tbody></table></div>`;

function row(entry: Entry, letters: readonly StoredMessage[]): Html {
  const why = failureOf(entry['code']);
  return html`<tr id="entry-${entry['id']}"><th scope="row"><a href="/ledger/${entry['id']}"><code>${String(entry['id']).slice(0, 8)}</code></a></th>
<td>${stateLabel(entry)}</td><td class="number wide">${entry['attempts']}</td><td class="number wide">${arrivals(letters)}</td>
<td>${why && html`<code>${entry['code']}</code> <span class="faint wide">${why.summary}</span>`}</td><td class="wide">${entry['caller']}</td><td class="wide">${moment(Number(entry['acceptedAt']))}</td></tr>`;
}

/** How many letters became of a mail; more than one would be the fault that all this is there to prevent. */
const arrivals = (letters: readonly StoredMessage[]): Html =>
  letters.length > 1
    ? html`<strong class="bad">${letters.length}</strong>`
    : html`${letters.map(({ id }) => html`<a href="/mails/${id}" aria-label="1, read it">1</a>`)}${letters.length === 0 && '0'}`;

/** `GET /ledger/ID`: all that is known of one mail. */
export async function entryPage(laptop: Shown, id: string): Promise<Reply> {
  const entry = laptop.google.ledgerEntry(id);
  if (!entry) return plainPage(laptop, 404, 'No such mail', 'The ledger has no mail of this id.');
  const letters = await laptop.messages.of(id);
  const why = failureOf(entry['code']);
  const facts: readonly [string, unknown][] = [
    ['State', html`${stateLabel(entry)} ${meaningOf(entry)}`],
    ['Attempts', entry['attempts']],
    [
      'Letters',
      letters.length === 0
        ? 'none arrived in the laptop’s Gmail'
        : letters.map((one) => html`<a href="/mails/${one.id}">${one.subject || '(no subject)'}</a> `),
    ],
    ['Why', why && html`<code>${entry['code']}</code> ${why.summary}`],
    ['Fix', why && prose(why.fix)],
    ['Due again', Number(entry['notBefore']) > 0 && moment(Number(entry['notBefore']))],
    ['Accepted', moment(Number(entry['acceptedAt']))],
    ['Caller', entry['caller']],
    ['Gmail id', entry['gmailId'] && html`<code>${entry['gmailId']}</code>`],
    ['Recipients refused', entry['rejected']],
    ['Asked again by', entry['handle'] && html`<code>${maskedHandle(String(entry['handle']))}</code>`],
    ['Sender, hashed', html`<code>${entry['mailbox']}</code>`],
    ['Kept until', moment(Date.parse(String(entry['expireAt'])))],
  ];
  return page(laptop, {
    title: `Mail ${id.slice(0, 8)}`,
    place: '/ledger',
    body: html`<p class="back"><a href="/ledger">← Ledger</a></p><h1>Mail <code>${id}</code></h1>
<div id="entry" data-live><dl class="facts">${facts
      .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '')
      .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${linesOf(laptop, id)}</div>`,
  });
}

/** An upload session's address lets its holder go on with the letter: its id is shown in part. */
const maskedHandle = (handle: string): string => handle.replace(/(upload_id=.{6}).*/, '$1…');
