import { randomUUID } from 'node:crypto';
import type { FakeReply } from '../../fake-google/http/server.ts';
import type { Address } from '../../mail/model/address.ts';
import { parseAddressList } from '../../mail/model/address-list.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { count, failureOf, meaningOf, prose, stateLabel } from '../parts/labels.ts';
import { page } from '../parts/page.ts';

type Typed = Readonly<Record<string, string>>;

const EXAMPLE: Typed = {
  to: 'you@example.net',
  subject: 'Your order is on its way',
  text: 'Grüße! Your order left us today.',
  html: '<h1>Grüße!</h1>\n<p>Your order <b>left us today</b>.</p>',
};

/** `GET /write`: an email to fill in. */
export const writePage = (laptop: PageContext): FakeReply => form(laptop, { ...EXAMPLE, key: randomUUID() });

/** `POST /write`: sends it through the api, as an app would, and says how that ended. */
export async function sendWritten(laptop: PageContext, form_: FormData): Promise<FakeReply> {
  const typed = Object.fromEntries([...form_].filter((field): field is [string, string] => typeof field[1] === 'string'));
  const mail = await mailOf(typed, form_.getAll('files'));
  const began = performance.now();
  const reply = await fetch(`${laptop.urls.api}/emails`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${laptop.key}`,
      'content-type': 'application/json',
      ...(typed['key'] && { 'idempotency-key': typed['key'] }),
    },
    body: JSON.stringify(mail),
  }).catch(() => null);
  const body = (await reply?.json().catch(() => null)) as Record<string, unknown> | null | undefined;
  const ms = Math.round(performance.now() - began);
  const result = reply
    ? await ending(laptop, reply, body ?? {}, ms)
    : html`<p>The api does not answer. Its lines are in the <a href="/log">log</a>.</p>`;
  // An email that was taken is done with its key; any other keeps it, so that sending again asks and cannot double. No answer may be of one that was.
  return form(laptop, { ...typed, key: reply?.ok ? randomUUID() : (typed['key'] ?? '') }, result);
}

async function mailOf(typed: Typed, files: readonly (string | File)[]): Promise<Record<string, unknown>> {
  const attachments = await Promise.all(
    files
      .filter((file) => typeof file !== 'string')
      .filter(({ name, size }) => name !== '' || size > 0) // what a browser sends for none
      .map(async (file) => ({ filename: file.name, content: Buffer.from(await file.arrayBuffer()).toString('base64') })),
  );
  const people = (name: string): string[] | undefined => {
    const text = (typed[name] ?? '').trim().replace(/[,;\s]+$/, '');
    return text === '' ? undefined : (parseAddressList(text)?.map(asWritten) ?? [text]);
  };
  return {
    from: typed['from'],
    to: people('to') ?? [],
    cc: people('cc'),
    bcc: people('bcc'),
    reply_to: people('reply_to'),
    subject: typed['subject'] ?? '',
    text: typed['text'] || undefined,
    html: typed['html'] || undefined,
    ...(attachments.length > 0 && { attachments }),
  };
}

/** One recipient as the api takes it; a name that holds a comma stays one name. */
const asWritten = ({ name, address }: Address): string => (name ? `"${name.replace(/["\\]/g, '\\$&')}" <${address}>` : address);

/** How the api answered, and what the ledger says of the mail. */
async function ending({ google }: PageContext, reply: Response, body: Record<string, unknown>, ms: number): Promise<Html> {
  const id = typeof body['id'] === 'string' ? body['id'] : null;
  const entry = id ? google.ledgerEntry(id) : null;
  const [arrived] = entry ? google.mailsOf(entry) : [];
  const why = failureOf(body['code']);
  const wait = reply.headers.get('retry-after');
  return html`<p class="outcome">${entry ? html`${stateLabel(entry)} after ${count(Number(entry['attempts']), 'attempt')}` : html`<span class="state failed"><span aria-hidden="true">✕</span> refused</span>`} <span class="faint">the api answered ${reply.status} in ${ms} ms</span></p>
${!reply.ok && html`<p><code>${body['code'] ?? body['name']}</code> ${body['message']}</p>${why && html`<p><b>Fix:</b> ${prose(why.fix)}</p>`}${entry && (wait || !why) && html`<p class="faint">${!why && meaningOf(entry)} Sent again unchanged it has the same idempotency key, so it cannot be doubled.${wait && ` Send it again after ${wait} s.`}</p>`}`}
<p>${arrived && html`<a href="/mails/${arrived}">Read the email</a> `}${id && html`<a href="/ledger/${id}">See what became of it</a>`}</p>
<details><summary>The answer</summary><pre tabindex="0">${JSON.stringify(body, null, 2)}</pre></details>`;
}

function form(laptop: PageContext, typed: Typed, result?: Html): FakeReply {
  const senders = laptop.config.mailboxes.flatMap(({ address, aliases, name }) => [
    { address, label: name ? `${name} <${address}>` : address },
    ...aliases.map((alias) => ({ address: alias, label: `${alias} (alias of ${address})` })),
  ]);
  const line = (name: string, label: string, more: Html | false = false) =>
    html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" value="${typed[name]}" autocomplete="off"${more}></div>`;
  return page(laptop, {
    title: 'Write',
    place: '/write',
    body: html`<h1>Write an email</h1><p class="faint">It goes through the real api with the laptop’s key, and lands in the laptop’s Gmail: nobody gets it.</p>
<form method="post" action="/write" enctype="multipart/form-data" data-quiet id="write">
<div class="field"><label for="from">From</label><select id="from" name="from">${senders.map(({ address, label }) => html`<option value="${address}"${address === typed['from'] && html` selected`}>${label}</option>`)}</select></div>
${line('to', 'To', html` required`)}
<details class="more"${(typed['cc'] || typed['bcc'] || typed['reply_to']) && html` open`}><summary>Cc, Bcc, Reply-To</summary>${line('cc', 'Cc')}${line('bcc', 'Bcc')}${line('reply_to', 'Reply-To')}</details>
${line('subject', 'Subject')}
<div class="pair"><div class="field"><label for="text">Text</label><textarea id="text" name="text" rows="7">
${typed['text']}</textarea></div><div class="field"><label for="html">HTML</label><textarea id="html" name="html" rows="7" spellcheck="false">
${typed['html']}</textarea></div></div>
<div class="field"><label for="files">Attachments</label><input id="files" name="files" type="file" multiple></div>
<details class="more"><summary>Idempotency key</summary><p class="faint" id="key-says">Two mails with one key are one mail for 24 hours. A new one is drawn when you change the mail.</p><div class="field"><label for="key">Key</label><input id="key" name="key" value="${typed['key']}" autocomplete="off" spellcheck="false" aria-describedby="key-says"></div></details>
<p><button class="main">Send</button> <span class="faint">or <a href="/faults">make something fail</a> first</span></p></form>
<section id="result" data-answer aria-label="How it ended" tabindex="-1">${result}</section>`,
  });
}
