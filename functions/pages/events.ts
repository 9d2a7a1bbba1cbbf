import { randomUUID } from 'node:crypto';
import type { Reply } from '../local/http.ts';
import { type Html, html } from './html.ts';
import type { Shown } from './laptop.ts';
import { page } from './page.ts';

/** A Pub/Sub message as the form holds it. */
interface Message {
  readonly data: string;
  readonly id: string;
  readonly attempt: number;
}

/** `GET /events`: what reaches mailgrant without an HTTP caller, to be played by hand. */
export const eventsPage = (laptop: Shown): Reply => form(laptop, { data: sample(laptop), id: messageId(), attempt: 1 });

/** `POST /events`: pushes the message to the worker as Pub/Sub would, and says what its answer means there. */
export async function pushEvent(laptop: Shown, fields: FormData): Promise<Reply> {
  const data = String(fields.get('data') ?? '');
  const id = String(fields.get('id') || messageId());
  const attempt = Math.max(1, Math.floor(Number(fields.get('attempt')) || 1));
  const reply = await fetch(laptop.urls.worker, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subscription: 'projects/laptop/subscriptions/mails',
      deliveryAttempt: attempt,
      message: { messageId: id, publishTime: new Date().toISOString(), data: Buffer.from(data).toString('base64'), attributes: {} },
    }),
  }).catch(() => null);
  if (!reply)
    return form(laptop, { data, id, attempt }, html`<p>The worker does not answer. Its lines are in the <a href="/log">log</a>.</p>`);
  const taken = reply.ok;
  const result = html`<p class="outcome"><span class="state ${taken ? 'sent' : 'waiting'}"><span aria-hidden="true">${taken ? '✓' : '↻'}</span> ${taken ? 'acknowledged' : 'delivered again'}</span> <span class="faint">the worker answered ${reply.status} to attempt ${attempt}</span></p>
<p>${taken ? html`Pub/Sub forgets the message. Push it again unchanged: the ledger knows its id, and no second mail goes out.` : html`Pub/Sub would wait and deliver the same message again. Push it again to play that.`} <a href="/ledger">See what became of it</a></p>`;
  return form(laptop, { data, id, attempt: attempt + 1 }, result);
}

function form(laptop: Shown, { data, id, attempt }: Message, result?: Html): Reply {
  return page(laptop, {
    title: 'Events',
    place: '/events',
    body: html`<h1>Events</h1><p class="faint">A mail need not come by HTTP. Here you are Pub/Sub: what you push reaches the worker as a subscription would bring it.</p>
<h2>A mail on the queue</h2>
<form method="post" action="/events" data-quiet id="push"><div class="field"><label for="data">Message, as JSON</label><textarea id="data" name="data" rows="8" spellcheck="false">
${data}</textarea></div>
<details class="more"><summary>Message id and delivery attempt</summary><div class="field"><label for="message-id">Message id</label><input id="message-id" name="id" value="${id}" autocomplete="off"></div>
<div class="field"><label for="attempt">Delivery attempt</label><input id="attempt" name="attempt" type="number" min="1" value="${attempt}"></div></details>
<p><button class="main">Push</button></p></form>
<section id="result" data-answer aria-label="How it ended" tabindex="-1">${result}</section>`,
  });
}

const messageId = (): string => String(Number.parseInt(randomUUID().slice(0, 12).replace('-', ''), 16));

const sample = ({ config }: Shown): string =>
  JSON.stringify(
    { from: config.mailboxes[0]?.address, to: 'you@example.net', subject: 'From the queue', text: 'Published once, sent once.' },
    null,
    2,
  );
