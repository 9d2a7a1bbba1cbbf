import { NAMED_FAULTS } from '../../fake-google/faults/named-faults.ts';
import type { FakeReply } from '../../fake-google/http/server.ts';
import type { PageContext } from './context.ts';
import { type Html, html, textOf } from './html.ts';
import { count, moment, stateLabel } from './labels.ts';

/** The pages, in the order of the navigation. */
const PLACES = [
  ['/', 'Inbox'],
  ['/write', 'Write'],
  ['/ledger', 'Ledger'],
  ['/faults', 'Faults'],
  ['/events', 'Events'],
  ['/log', 'Log'],
] as const;

// No resource from another origin, nothing inline; no other page may frame these pages or learn their URL.
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin', // with no-referrer a form of these pages would be posted with `Origin: null`
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect x='2' y='6' width='28' height='20' rx='4' fill='%230f766e'/%3E%3Cpath d='M6 11l10 8 10-8' fill='none' stroke='%23fff' stroke-width='2.6' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

export interface Page {
  readonly title: string;
  /** The page that the navigation marks; '' for none. */
  readonly place: (typeof PLACES)[number][0] | '';
  readonly body: Html;
  readonly status?: number;
}

/** A whole page around its body: landmarks, navigation, and a line with the last event. */
export function page(laptop: PageContext, { title, place, body, status = 200 }: Page): FakeReply {
  const links = PLACES.map(
    ([path, name]) => html`<li><a href="${path}" data-name="${name}"${path === place && html` aria-current="page"`}>${name}</a></li>`,
  );
  const document = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · mailgrant laptop</title><link rel="icon" href="${ICON}"><link rel="stylesheet" href="/pages.css"><script type="module" src="/pages.js"></script></head>
<body><a class="skip" href="#main">Skip to the content</a>
<header><div class="bar"><a class="brand" href="/"><span aria-hidden="true"></span>mailgrant <small>laptop</small></a>
<nav aria-label="Pages"><ul>${links}</ul></nav></div>
<div class="now" role="status"><div id="now" data-live>${now(laptop)}</div></div></header>
<main id="main" tabindex="-1">${body}</main></body></html>`;
  return { status, headers: HEADERS, body: textOf(document) };
}

/** The last event, and the pending faults: on every page, and read out when it changes. */
function now({ google }: PageContext): Html {
  const [last] = google.ledgerEntries(1);
  const armed = [
    ...new Set(google.faults.pending().map(({ name }) => NAMED_FAULTS.find((row) => row.name === name)?.title ?? 'by command')),
  ];
  const mail = last
    ? html`Last email: ${stateLabel(last)} <a href="/ledger/${last['id']}">${String(last['id']).slice(0, 8)}</a>, ${count(Number(last['attempts']), 'attempt')}${last['code'] && html`, <code>${last['code']}</code>`}, ${moment(Number(last['acceptedAt']))}`
    : html`No email yet.`;
  const faults =
    armed.length > 0 && html` <span class="armed"><a href="/faults">${count(armed.length, 'fault')} on</a>: ${armed.join(', ')}</span>`;
  return html`<span>${mail}</span>${faults}`;
}

/** The page for something that does not exist, or is not allowed. */
export const plainPage = (laptop: PageContext, status: number, title: string, text: string): FakeReply =>
  page(laptop, { title, place: '', status, body: html`<h1>${title}</h1><p>${text}</p><p><a href="/">To the inbox</a></p>` });

/** Redirects the browser after a form, so that a reload does not post again. */
export const seeOther = (location: string): FakeReply => ({ status: 303, headers: { location, 'cache-control': 'no-store' } });
