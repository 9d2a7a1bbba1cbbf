import type { FakeReply } from '../../fake-google/http/server.ts';
import type { LedgerRecordRow } from '../../fake-google/tables.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { failureOf, meaningOf, moment, prose, stateLabel } from '../parts/labels.ts';
import { page, plainPage, seeOther } from '../parts/page.ts';
import { subjectOf } from '../parts/plain-text.ts';
import { linesOf } from './log.ts';

const SHOWN = 200;

/** `GET /ledger`: the state of every email, sent or not. */
export function ledgerPage(laptop: PageContext): FakeReply {
  const { google } = laptop;
  const states = [...google.ledgerStates()];
  const all = states.reduce((sum, [, n]) => sum + n, 0);
  const sums = states.map(([state, n]) => html`<li>${stateLabel({ state })} ${n}</li>`);
  const rows = google.ledgerEntries(SHOWN).map((entry) => row(entry, google.mailsOf(entry)));
  return page(laptop, {
    title: 'Ledger',
    place: '/ledger',
    body: html`<h1>Ledger</h1><p class="faint">What became of every email that was asked for: tried, sent, or why not. It keeps no content, and addresses only as hashes.</p>
<div id="ledger" data-live><ul class="sums">${sums}</ul>
${rows.length > 0 ? table(rows) : html`<div class="empty"><p><strong>No email was asked for yet.</strong> <a href="/write">Write one.</a></p></div>`}
${all > SHOWN && html`<p class="faint">The newest ${SHOWN} of ${all}.</p>`}</div>`,
  });
}

const table = (rows: readonly Html[]): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="The ledger"><table><thead><tr><th scope="col">Email</th><th scope="col">State</th><th scope="col" class="wide">Attempts</th><th scope="col" class="wide">Arrived</th><th scope="col">Why</th><th scope="col" class="wide">Caller</th><th scope="col" class="wide">Accepted</th></tr></thead><tbody>${rows}</tbody></table></div>`;

function row(entry: LedgerRecordRow, arrived: readonly string[]): Html {
  const why = failureOf(entry['code']);
  return html`<tr id="entry-${entry['id']}"><th scope="row"><a href="/ledger/${entry['id']}"><code>${String(entry['id']).slice(0, 8)}</code></a></th>
<td>${stateLabel(entry)}</td><td class="number wide">${entry['attempts']}</td><td class="number wide">${arrivals(arrived)}</td>
<td>${why && html`<code>${entry['code']}</code> <span class="faint wide">${why.summary}</span>`}</td><td class="wide">${entry['caller']}</td><td class="wide">${moment(Number(entry['acceptedAt']))}</td></tr>`;
}

/** How many emails arrived; more than one would be the defect that mailgrant exists to prevent. */
const arrivals = (ids: readonly string[]): Html =>
  ids.length > 1
    ? html`<strong class="bad">${ids.length}</strong>`
    : html`${ids.map((id) => html`<a href="/mails/${id}" aria-label="1, read it">1</a>`)}${ids.length === 0 && '0'}`;

/** States in which an email waits for a person. */
const OPEN = ['unknown', 'failed', 'parked', 'waiting'];

/** `GET /ledger/ID`: everything that is known of one email. */
export async function entryPage(laptop: PageContext, id: string, said = ''): Promise<FakeReply> {
  const entry = laptop.google.ledgerEntry(id);
  if (!entry) return plainPage(laptop, 404, 'No such email', 'The ledger has no email of this id.');
  const arrived = await Promise.all(laptop.google.mailsOf(entry).map((one) => laptop.inbox.summary(one)));
  const why = failureOf(entry['code']);
  const facts: readonly [string, unknown][] = [
    ['State', html`${stateLabel(entry)} ${meaningOf(entry)}`],
    ['Attempts', entry['attempts']],
    [
      'Arrived',
      arrived.length === 0
        ? entry['state'] === 'sent'
          ? 'it is no longer in the inbox'
          : 'nothing, in the laptop’s Gmail'
        : arrived.map((one) => one && html`<a href="/mails/${one.id}">${subjectOf(one.subject)}</a> `),
    ],
    ['Code', why && html`<code>${entry['code']}</code>`],
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
    title: `Email ${id.slice(0, 8)}`,
    place: '/ledger',
    body: html`<p class="back"><a href="/ledger">← Ledger</a></p><h1>Email <code>${id}</code></h1>
<div id="entry" data-live><dl class="facts">${facts
      .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '')
      .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>${linesOf(laptop, id)}</div>
${said && html`<section role="status" aria-label="What was decided"><pre tabindex="0">${said}</pre></section>`}${laptop.decide && OPEN.includes(String(entry['state'])) && decisions(id)}`,
  });
}

const decisions = (id: string): Html =>
  html`<section aria-labelledby="decide"><h2 id="decide">Decide about it</h2><form method="post" action="/ledger" class="actions"><input type="hidden" name="id" value="${id}">
<button name="do" value="resend">Let it go out again</button> <button name="do" value="drop" class="danger">Drop it</button></form>
<p class="faint">As <code>npx mailgrant ledger resend</code> and <code>drop</code> do. Before it goes out again, Gmail is asked what it knows. The ledger keeps no content, so its caller has to send it again, with the same idempotency key.</p></section>`;

/** `POST /ledger`: an operator's decision about an email. */
export async function decideAbout(laptop: PageContext, form: FormData): Promise<FakeReply> {
  const [id, verb] = [String(form.get('id')), String(form.get('do'))];
  if (!laptop.decide || !/^[0-9a-f-]{36}$/.test(id) || (verb !== 'resend' && verb !== 'drop')) return seeOther('/ledger');
  return entryPage(laptop, id, await laptop.decide(verb, id));
}

/** A session URI lets its holder continue the upload, so only a part of its id is shown. */
const maskedHandle = (handle: string): string => handle.replace(/(upload_id=.{6}).*/, '$1…');
