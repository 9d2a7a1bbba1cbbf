import type { ParsedMail } from 'mailparser';
import type { Reply } from '../../fake-google/http/server.ts';
import type { Entry } from '../../fake-google/tables.ts';
import type { Shown } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { bytes, count, moment, stateLabel } from '../parts/labels.ts';
import { addressText, type StoredMessage } from '../parts/messages.ts';
import { page, plainPage } from '../parts/page.ts';
import { linesOf } from './log.ts';

/** What a letter shows is its sender's: no script, no form, nothing loaded from anywhere, in an origin of its own. */
const CONTENT = {
  'content-security-policy':
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-dns-prefetch-control': 'off',
  'cache-control': 'no-store',
};

/**
 * The policy stops every load and every navigation, but for these the browser opens a connection before it asks the policy
 * (measured; test/browser/hostile.test.ts). Renamed they are nothing; and nothing that is renamed becomes one of them.
 */
const CONNECTING = /<(link|iframe|frame|object|embed|meta|base|form|fencedframe|portal)/gi;

/** `GET /mails/ID` and its parts: the html alone, the source, each attachment. */
export async function messagePart(laptop: Shown, id: string, part: string, index: number): Promise<Reply> {
  const found = await laptop.messages.open(id);
  if (!found) return plainPage(laptop, 404, 'No such mail', 'The laptop’s Gmail has no letter of this id.');
  const { letter, parsed, stored } = found;
  if (part === 'html')
    return {
      status: 200,
      headers: { ...CONTENT, 'content-type': 'text/html; charset=utf-8' },
      body: (parsed.html || '').replace(CONNECTING, '<no-$1'),
    };
  if (part === 'source') return { status: 200, headers: { ...CONTENT, 'content-type': 'text/plain; charset=utf-8' }, body: stored.raw };
  if (part === 'attachments') return attachment(laptop, parsed, index);
  return page(laptop, { title: letter.subject || '(no subject)', place: '/', body: view(laptop, letter, parsed) });
}

function view(laptop: Shown, letter: StoredMessage, parsed: ParsedMail): Html {
  const entry = letter.mail ? laptop.google.ledgerEntry(letter.mail) : null;
  const people = (
    [
      ['From', parsed.from],
      ['To', parsed.to],
      ['Cc', parsed.cc],
      ['Bcc', parsed.bcc],
      ['Reply-To', parsed.replyTo],
    ] as const
  ).filter(([, value]) => value !== undefined);
  const files = letter.attachments.map(
    ({ filename, contentType, size, cid }, index) =>
      html`<li><a href="/mails/${letter.id}/attachments/${index}" download>${filename ?? `attachment ${index + 1}`}</a> <span class="faint">${contentType}, ${bytes(size)}${cid && `, inline as ${cid}`}</span></li>`,
  );
  return html`<p class="back"><a href="/">← Inbox</a></p><h1>${letter.subject || '(no subject)'}</h1>
<div class="split"><div>
<dl class="people">${people.map(([name, value]) => html`<div><dt>${name}</dt><dd>${addressText(value)}</dd></div>`)}</dl>
${files.length > 0 && html`<section aria-labelledby="files"><h2 id="files">${count(files.length, 'attachment')}</h2><ul>${files}</ul></section>`}
${parsed.html && content(letter.id, parsed.html)}
${parsed.text && html`<section aria-labelledby="text"><h2 id="text">Text</h2><pre tabindex="0">${parsed.text}</pre></section>`}
<details><summary>Headers</summary><pre tabindex="0" role="region" aria-label="Headers">${parsed.headerLines.map(({ line }) => line).join('\n')}</pre></details>
<p><a href="/mails/${letter.id}/source">Source</a> <span class="faint">${bytes(letter.size)}, as Gmail got it</span></p></div>
<aside id="became" data-live aria-labelledby="became-title"><h2 id="became-title">What became of it</h2>${became(letter, entry)}${letter.mail && linesOf(laptop, letter.mail)}</aside></div>`;
}

/** The html in a frame without rights, at a desk's or a phone's width, and its links as text: in the frame they lead nowhere. */
function content(id: string, text: string): Html {
  const links = [
    ...new Set([...text.matchAll(/\bhref\s*=\s*["']?(https?:\/\/[^"'\s>]+)/gi)].map(([, href = '']) => href.replaceAll('&amp;', '&'))),
  ];
  return html`<section class="content" aria-labelledby="html"><div class="title"><h2 id="html">HTML</h2>
<fieldset class="choice"><legend class="unseen">Width of the preview</legend><label><input type="radio" name="width" checked> Desk</label><label><input type="radio" name="width" id="narrow"> Phone</label></fieldset></div>
<iframe title="The mail as HTML" sandbox src="/mails/${id}/html"></iframe>
<p class="faint">Shown without scripts, and without anything from elsewhere.</p>
${links.length > 0 && html`<details><summary>${count(links.length, 'link')} in it</summary><ul class="links">${links.map((href) => html`<li><a href="${href}" rel="noreferrer noopener" target="_blank">${href}</a></li>`)}</ul></details>`}</section>`;
}

function became({ at, id, mailbox, mail }: StoredMessage, entry: Entry | null): Html {
  return html`<dl class="facts">
<div><dt>Outcome</dt><dd>${stateLabel(entry)}</dd></div>
${entry && html`<div><dt>Attempts</dt><dd>${entry['attempts']}</dd></div><div><dt>Caller</dt><dd>${entry['caller']}</dd></div>`}
<div><dt>Sent as</dt><dd>${mailbox}</dd></div>
<div><dt>Arrived</dt><dd>${moment(at)}</dd></div>
<div><dt>Mail id</dt><dd>${mail ? html`<a href="/ledger/${mail}"><code>${mail}</code></a>` : 'not one of ours'}</dd></div>
<div><dt>Gmail id</dt><dd><code>${id}</code></dd></div></dl>`;
}

function attachment(laptop: Shown, parsed: ParsedMail, index: number): Reply {
  const found = parsed.attachments[index];
  if (!found) return plainPage(laptop, 404, 'No such attachment', 'The letter has no attachment of this number.');
  const name = encodeURIComponent(found.filename ?? `attachment-${index + 1}`).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  // Always a download, never shown in the pages' own origin.
  return {
    status: 200,
    headers: { ...CONTENT, 'content-type': 'application/octet-stream', 'content-disposition': `attachment; filename*=UTF-8''${name}` },
    body: found.content,
  };
}
