import type { Door } from '../../fake-google/faults/faults.ts';
import type { RequestRecord } from '../../fake-google/faults/request-log.ts';
import type { Google } from '../../fake-google/google.ts';
import type { FakeReply } from '../../fake-google/http/server.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { moment } from '../parts/labels.ts';
import type { Line } from '../parts/log-lines.ts';
import { page } from '../parts/page.ts';

/** `GET /log`: the functions' output, as it arrives. */
export function logPage(laptop: PageContext): FakeReply {
  return page(laptop, {
    title: 'Log',
    place: '/log',
    body: html`<div class="title"><h1>Log</h1><form id="filter" hidden><label for="filter-text" class="unseen">Show lines with</label><input id="filter-text" type="search" placeholder="Show lines with …" autocomplete="off">
<label class="inline"><input type="checkbox" id="filter-bad"> only warnings and errors</label> <label class="inline"><input type="checkbox" id="filter-google"> what Google saw, too</label></form></div>
<p class="faint">The functions’ own lines, newest at the top: facts, never content, addresses or secrets.</p>
<div tabindex="0" role="region" aria-label="Lines of the functions"><ol id="log" class="log">${laptop.lines
      .list()
      .toReversed()
      .map((line) => lineItem(line))}</ol></div>`,
  });
}

/** One line, as the log and the live stream show it; on the page of an email the line leaves out its id. */
export function lineItem({ number, at, from, severity, event, fields }: Line, mail?: string): Html {
  const facts = Object.entries(fields ?? {}).filter(
    ([name, value]) => value !== null && value !== undefined && !name.includes('/') && value !== mail,
  );
  const items = facts.map(
    ([name, value]) => html`<span><b>${name}</b> ${name === 'id' ? html`<a href="/ledger/${value}">${value}</a>` : value}</span> `,
  );
  return html`<li id="line-${number}" class="line ${severity.toLowerCase()} from-${from}">${moment(at)} <span class="from">${from}</span> <span class="severity">${/^DE/.test(severity) ? '' : severity}</span> <span class="event">${event}</span> <span class="fields">${items}</span></li>`;
}

/** The purpose of a call at an endpoint, where the endpoint's name does not say it. */
const WORDS: Partial<Readonly<Record<Door, string>>> = {
  identity: 'the function’s own token',
  ledger: 'ledger',
  secret: 'secret',
  token: 'access token',
  open: 'upload session opened',
  transfer: 'email transferred',
  ask: 'upload session asked',
  search: 'search for the Message-ID',
};

/** A call at an endpoint of the fake Google as a line: what it was, its answer, and the fault that caused it. */
export function googleLine({ door, answer, fault, session, mail }: RequestRecord, { ledgerIdOf }: Google): Record<string, unknown> {
  const id = mail ?? (session && ledgerIdOf(session));
  return {
    severity: 'DEBUG',
    event: WORDS[door] ?? door,
    ...(id && { id }),
    ...(session && { session: session.slice(0, 8) }), // the whole id would let a reader continue the upload
    answer: answer === 'cut' ? `none, the line was cut${fault?.reset === 'after' ? ' after it took effect' : ''}` : answer,
    ...(fault && { fault: fault.name ?? 'by command' }),
  };
}

/** The lines about one email, oldest first: the calls of its upload session, and the functions' output. */
export function linesOf({ lines }: PageContext, mail: string): Html | false {
  const all = lines.list();
  const sessions = new Set(all.filter(({ fields }) => fields?.['id'] === mail).map(({ fields }) => fields?.['session'] ?? null));
  sessions.delete(null);
  const found = all.filter(({ fields }) => fields?.['id'] === mail || sessions.has(fields?.['session'] ?? null));
  return found.length > 0 && html`<h3>How it went</h3><ol class="log">${found.map((line) => lineItem(line, mail))}</ol>`;
}
