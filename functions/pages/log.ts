import type { Reply } from '../local/http.ts';
import { type Html, html } from './html.ts';
import type { Shown } from './laptop.ts';
import type { Line } from './lines.ts';
import { page } from './page.ts';
import { moment } from './words.ts';

/** `GET /log`: what the functions print, as it comes. */
export function logPage(laptop: Shown): Reply {
  return page(laptop, {
    title: 'Log',
    place: '/log',
    body: html`<div class="title"><h1>Log</h1><form id="filter" hidden><label for="filter-text" class="unseen">Show lines with</label><input id="filter-text" type="search" placeholder="Show lines with …" autocomplete="off">
<label class="inline"><input type="checkbox" id="filter-bad"> only warnings and errors</label></form></div>
<p class="faint">The functions’ own lines, newest at the top: facts, never content, addresses or secrets.</p>
<ol id="log" class="log" tabindex="0" role="region" aria-label="Lines of the functions">${laptop.lines.list().toReversed().map(lineItem)}</ol>`,
  });
}

/** One line, as the log and the live stream show it. */
export function lineItem({ number, at, from, severity, event, fields }: Line): Html {
  const facts = Object.entries(fields ?? {}).filter(([name, value]) => value !== null && value !== undefined && !name.includes('/'));
  const items = facts.map(
    ([name, value]) => html`<span><b>${name}</b> ${name === 'id' ? html`<a href="/ledger/${value}">${value}</a>` : value}</span> `,
  );
  return html`<li id="line-${number}" class="line ${severity.toLowerCase()}">${moment(at)} <span class="from">${from}</span> <span class="severity">${severity === 'DEFAULT' ? '' : severity}</span> <span class="event">${event}</span> <span class="fields">${items}</span></li>`;
}

/** The lines that tell of one mail, oldest first. */
export function linesOf({ lines }: Shown, mail: string): Html | false {
  const found = lines.list().filter(({ fields }) => fields?.['id'] === mail);
  return found.length > 0 && html`<h3>What the functions said</h3><ol class="log">${found.map(lineItem)}</ol>`;
}
