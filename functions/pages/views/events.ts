import type { FakeReply, FakeRequest } from '../../fake-google/http/server.ts';
import type { Route } from '../../mail/model/route.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import type { Line } from '../parts/log-lines.ts';
import { page, plainPage } from '../parts/page.ts';
import { attributesFor, type Destination, destinationsOf, proof, publishSample, sampleFor } from './destinations.ts';
import { lineItem } from './log.ts';

const TIMEOUT_MS = 3_000; // an email takes a fraction of it; the log has what takes longer

/** `GET /events?to=NAME`: events that reach mailgrant without a caller of its api, to be sent by hand. */
export function eventsPage(laptop: PageContext, { query }: FakeRequest): FakeReply {
  const to = chosen(laptop, query.get('to'));
  return to ? form(laptop, to, { data: sampleFor(to, laptop), attributes: JSON.stringify(attributesFor(to)) }) : noRoute(laptop);
}

/** `POST /events`: publishes the event, or signs and posts it, and shows the output of the functions. */
export async function playEvent(laptop: PageContext, fields: FormData): Promise<FakeReply> {
  const to = chosen(laptop, String(fields.get('to')));
  if (!to) return noRoute(laptop);
  // A browser writes every line break of a form as CRLF.
  const typed = { data: String(fields.get('data') ?? '').replaceAll('\r\n', '\n'), attributes: String(fields.get('attributes') || '{}') };
  const said = firstWordOf(laptop, 'topic' in to ? 'worker' : 'hooks');
  const answer = 'topic' in to ? await published(laptop, to.topic, typed) : await posted(laptop, to, typed);
  const lines = answer.went ? await said.lines : [];
  said.end();
  const log = lines.length > 0 && html`<h3>What the function said</h3><ol class="log">${lines.map((line) => lineItem(line))}</ol>`;
  return form(laptop, to, typed, html`${answer.text}${log}<p><a href="/ledger">See what became of it</a></p>`);
}

interface Answer {
  readonly went: boolean;
  readonly text: Html;
}

async function published(laptop: PageContext, topic: string, { data, attributes }: Typed): Promise<Answer> {
  const read = attributesIn(attributes);
  if (!read) return noAttributes('Attributes', '{"eventType": "OBJECT_FINALIZE"}');
  const reply = await publishSample(topic, data, read, laptop);
  if ('status' in reply)
    return { went: false, text: html`<p class="outcome">Pub/Sub answered ${reply.status}: nothing was published.</p>` };
  return {
    went: true,
    text: html`<p class="outcome"><span class="state sent"><span aria-hidden="true">✓</span> published</span> <span class="faint">as message ${reply.id} on ${topic.split('/').at(-1)}. Pub/Sub delivers it to the worker, again and again until that acknowledges.</span></p>`,
  };
}

const noAttributes = (label: string, example: string): Answer => ({
  went: false,
  text: html`<p class="outcome">${label}: expected JSON such as <code>${example}</code></p>`,
});

async function posted(
  laptop: PageContext,
  { name, hook }: Extract<Destination, { hook: unknown }>,
  { data, attributes }: Typed,
): Promise<Answer> {
  const more = headersIn(attributes);
  if (!more) return noAttributes('Headers', '{"x-github-event": "release"}');
  const headers = await proof(hook, Buffer.from(data), laptop).catch(() => null);
  if (!laptop.urls.hooks || !headers) return { went: false, text: html`<p class="outcome">Only Google can sign for this route.</p>` };
  for (const [header, value] of Object.entries(headers)) more.set(header, value);
  const reply = await fetch(`${laptop.urls.hooks}/hooks/${name}`, {
    method: 'POST',
    headers: more,
    body: data,
  }).catch(() => null);
  const answer = (await reply?.text()) ?? 'none';
  return {
    went: reply !== null,
    text: html`<p class="outcome"><span class="state ${reply?.ok ? 'sent' : 'failed'}"><span aria-hidden="true">${reply?.ok ? '✓' : '✕'}</span> ${reply?.ok ? 'accepted' : 'not accepted'}</span> <span class="faint">signed as ${hook.verify} says; the function hooks answered ${reply?.status ?? 'nothing'}</span></p><pre tabindex="0">${answer}</pre>`,
  };
}

/** The next lines of a function; none, if it prints nothing for a while. */
function firstWordOf({ lines }: PageContext, from: string): { readonly lines: Promise<Line[]>; end(): void } {
  const { promise, resolve } = Promise.withResolvers<Line[]>();
  const timer = setTimeout(resolve, TIMEOUT_MS, []);
  const unwatch = lines.watch((line) => line.from === from && resolve([line]));
  const end = (): void => {
    clearTimeout(timer);
    unwatch();
  };
  return { lines: promise, end };
}

function attributesIn(text: string): Record<string, string> | null {
  try {
    const value = JSON.parse(text) as unknown;
    const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
    return entries && Object.fromEntries(entries.map(([name, one]) => [name, String(one)]));
  } catch {
    return null;
  }
}

/** Headers of a request; null where one of them is not allowed. */
function headersIn(text: string): Headers | null {
  try {
    const given = attributesIn(text);
    const headers = given && new Headers(given);
    if (headers?.has('content-type') === false) headers.set('content-type', 'application/json');
    return headers;
  } catch {
    return null;
  }
}

interface Typed {
  readonly data: string;
  readonly attributes: string;
}

const chosen = (laptop: PageContext, name: string | null): Destination | undefined =>
  destinationsOf(laptop).find((one) => one.name === (name ?? 'mails'));
const noRoute = (laptop: PageContext): FakeReply => plainPage(laptop, 404, 'No such route', 'The config has no route of this name.');

function form(laptop: PageContext, to: Destination, { data, attributes }: Typed, result?: Html): FakeReply {
  const all = destinationsOf(laptop);
  const links = all.map(
    (one) =>
      html`<li><a href="/events?to=${one.name}"${one.name === to.name && html` aria-current="true"`}>${one.route ? one.name : 'the queue of mails'}</a> <span class="faint">${'topic' in one ? `topic ${one.topic.split('/').at(-1)}` : `webhook, ${one.hook.verify}`}</span></li>`,
  );
  const topic = 'topic' in to;
  return page(laptop, {
    title: 'Events',
    place: '/events',
    body: html`<h1>Events</h1><p class="faint">A mail need not come by the api. Publish an event on a topic, or sign one as a webhook’s vendor would, and see what it becomes.</p>
<div class="split events"><div><h2>${to.route ? to.name : 'The queue of mails'}</h2>${to.route ? about(to.route) : html`<p>What is published here is an email, in the form of <code>POST /emails</code>. The same message, delivered twice, is one mail.</p>`}
<form method="post" action="/events" data-quiet><input type="hidden" name="to" value="${to.name}">
<div class="field"><label for="data">${topic ? 'Message, as JSON' : 'Body of the webhook'}</label><textarea id="data" name="data" rows="12" spellcheck="false">
${data}</textarea></div>
<details class="more"${attributes !== '{}' && html` open`}><summary>${topic ? 'Attributes' : 'Headers'}</summary><div class="field"><label for="attributes">${topic ? 'Attributes of the message' : 'Headers beside the signature'}, as JSON</label><input id="attributes" name="attributes" value="${attributes}" autocomplete="off" spellcheck="false"></div></details>
<p><button class="main">${topic ? 'Publish' : 'Sign and send'}</button></p></form>
<section id="result" data-answer aria-label="How it ended" tabindex="-1">${result}</section></div>
<aside aria-labelledby="where"><h2 id="where">Where to</h2><ul class="where">${links}</ul>${all.length === 1 && html`<p class="faint">Routes of <code>config/mailgrant.yaml</code> are listed here.</p>`}</aside></div>`,
  });
}

/** The settings of the route. */
function about({ when, from, to, template, dedupe }: Route): Html {
  const facts: readonly [string, unknown][] = [
    ['When', html`${when === null ? 'always' : html`<code>${when}</code>`}`],
    ['From', from.address],
    ['To', to.join(', ')],
    ['Template', html`<code>${template}</code>`],
    ['One email per', dedupe !== null && html`<code>${dedupe}</code>`],
  ];
  return html`<dl>${facts.filter(([, value]) => value !== false).map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
