import { randomUUID } from 'node:crypto';
import type { Fault, Faults } from '../../fake-google/faults/faults.ts';
import { NAMED_FAULTS, type NamedFault } from '../../fake-google/faults/named-faults.ts';
import type { Google } from '../../fake-google/google.ts';
import type { FakeReply } from '../../fake-google/http/server.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { page, plainPage, seeOther } from '../parts/page.ts';

const CHOICES = ['off', 'once', 'always'] as const;
type Choice = (typeof CHOICES)[number];

/** `GET /faults`: the named faults, each with a switch. */
export function faultsPage(laptop: PageContext): FakeReply {
  const { google, config } = laptop;
  const others = google.faults.pending().filter(({ name }) => !NAMED_FAULTS.some((row) => row.name === name));
  const smtp = config.mailboxes.some(({ via }) => via === 'smtp');
  const bounces = config.mailboxes.some((one) => one.bounces);
  const rows = (via: NamedFault['via']) => NAMED_FAULTS.filter((row) => row.via === via).map((row) => switchOf(row, google));
  const mailboxes = config.mailboxes.map(
    ({ address, via }) => html`<option value="${address}">${address}${via === 'smtp' && ' (via smtp)'}</option>`,
  );
  return page(laptop, {
    title: 'Faults',
    place: '/faults',
    body: html`<div class="title"><h1>Faults</h1><form method="post" action="/faults" data-quiet><input type="hidden" name="name" value="all"><button>All off</button></form></div>
<p>Make the laptop’s Google fail, send a mail, and see what becomes of it.
<b>Once</b> is for the next call that passes there, <b>always</b> stays until it is switched off.</p>
<form method="post" action="/write" data-quiet class="try"><label for="from">A mail from</label> <select id="from" name="from">${mailboxes}</select>
<input type="hidden" name="to" value="you@example.net"><input type="hidden" name="subject" value="Will it arrive?"><input type="hidden" name="text" value="If you read this, it did."><input type="hidden" name="key" id="key" value="${randomUUID()}"><button class="main">Send</button></form>
<section id="result" data-answer aria-label="How it ended" tabindex="-1"></section>
<div id="faults" data-live><h2>On the way over Gmail’s API</h2><div class="faults">${rows('api')}</div>
<h2>On the way over SMTP</h2><p class="faint">${smtp ? 'For mailboxes with' : 'No mailbox of the config has'} <code>via: smtp</code>${smtp ? '. A dead grant and a ledger that is down, above, meet them too.' : '; these wait until one has.'}</p><div class="faults">${rows('smtp')}</div>
<h2>What comes back</h2><p class="faint">${bounces ? 'For mailboxes with' : 'No mailbox of the config has'} <code>bounces: true</code>${bounces ? '.' : ': reports stay in the mailbox, unseen.'}</p><div class="faults">${rows('back')}</div>
${others.length > 0 && html`<h2>Scripted by command</h2><ul class="links">${others.map((fault) => html`<li><code>${JSON.stringify(fault)}</code></li>`)}</ul>`}</div>
<details><summary>The same as commands</summary><pre tabindex="0" role="region" aria-label="The same as commands">${NAMED_FAULTS.map((row) => command(row, google))}curl -X DELETE ${google.url}/control/faults   # all off</pre></details>`,
  });
}

const command = ({ name, title }: NamedFault, { url }: Google): string =>
  `# ${title}\ncurl ${url}/control/faults -d '{"name":"${name}"}'\n`;

function switchOf(row: NamedFault, { faults }: Google): Html {
  const { name, title, happens, outcome } = row;
  const now = stateOf(name, faults);
  const choices = CHOICES.map(
    (choice) =>
      html`<label><input type="radio" name="choice" id="${name}-${choice}" value="${choice}"${choice === now && html` checked`}> ${choice}</label>`,
  );
  return html`<form method="post" action="/faults" data-quiet data-at-once class="fault${now !== 'off' && ' on'}"><input type="hidden" name="name" value="${name}">
<fieldset><legend>${title}</legend><div class="choice">${choices}</div></fieldset>
<p>${happens}</p><p class="faint"><span aria-hidden="true">→</span> ${outcome}</p><noscript><button>Apply</button></noscript></form>`;
}

function stateOf(name: string, faults: Faults): Choice {
  const fault = faults.pending().find((one) => one.name === name);
  if (!fault) return 'off';
  return fault.standing ? 'always' : 'once';
}

/** `POST /faults`: switches one fault, or all off. */
export function switchFault(laptop: PageContext, form: FormData): FakeReply {
  const { faults } = laptop.google;
  const name = form.get('name');
  const choice = form.get('choice');
  const row = NAMED_FAULTS.find((one) => one.name === name);
  if (name === 'all') faults.clear();
  else if (!row || !CHOICES.includes(choice as Choice))
    return plainPage(laptop, 400, 'No such switch', 'A switch has a name of the list, and is off, once or always.');
  else {
    faults.clear(row.name);
    const standing = choice === 'always' && { standing: true };
    if (choice !== 'off') faults.script(...row.faults.map((fault): Fault => ({ ...fault, name: row.name, ...standing })));
  }
  return seeOther('/faults');
}
