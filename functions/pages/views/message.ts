import type { FakeReply } from '../../fake-google/http/server.ts';
import type { LedgerRecordRow } from '../../fake-google/tables.ts';
import { checkHtml } from '../../inbox/html-check.ts';
import type { OpenEmail } from '../../inbox/inbox.ts';
import { linksIn } from '../../inbox/links.ts';
import { type ParsedAddress, type ParsedEmail, withPictures } from '../../inbox/parse-email.ts';
import type { PageContext } from '../parts/context.ts';
import { type Html, html } from '../parts/html.ts';
import { byteLabel, count, moment, stateLabel } from '../parts/labels.ts';
import { page, plainPage, seeOther } from '../parts/page.ts';
import { plainText, subjectOf } from '../parts/plain-text.ts';
import { tagLink } from './inbox.ts';
import { linesOf } from './log.ts';

/** A message's HTML is untrusted: no scripts, no forms, no network, an origin of its own. */
const CONTENT = {
  'content-security-policy':
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-dns-prefetch-control': 'off',
  'cache-control': 'no-store',
};

/**
 * The policy stops every load and every navigation, but for these attributes the browser opens a connection before it checks the
 * policy (measured; test/browser/hostile.test.ts). Under another name they have no effect.
 */
const CONNECTING = /<(link|iframe|frame|object|embed|meta|base|form|fencedframe|portal)/gi;

/** `GET /mails/ID` and its parts: the html alone, the source, the check of the html, each attachment. */
export async function messagePart(laptop: PageContext, id: string, part: string, index: number): Promise<FakeReply> {
  const found = await laptop.inbox.open(id);
  if (!found) return plainPage(laptop, 404, 'No such email', 'The laptop’s Gmail has no email of this id. It may have been deleted.');
  const { summary, parsed, raw } = found;
  if (part === 'html')
    return {
      status: 200,
      headers: { ...CONTENT, 'content-type': 'text/html; charset=utf-8' },
      body: withPictures(parsed).replace(CONNECTING, '<no-$1'),
    };
  if (part === 'source') return { status: 200, headers: { ...CONTENT, 'content-type': 'text/plain; charset=utf-8' }, body: raw };
  if (part === 'attachments') return attachment(laptop, parsed, index);
  if (part === 'check') return htmlCheckPage(laptop, found);
  await laptop.inbox.setRead([id], true);
  return page(laptop, { title: summary.subject || '(no subject)', place: '/', body: view(laptop, found) });
}

function view(laptop: PageContext, email: OpenEmail): Html {
  const { summary, parsed } = email;
  const entry = laptop.google.ledgerEntryOf(summary);
  const people = (
    [
      ['From', parsed.from ? [parsed.from] : []],
      ['To', parsed.to],
      ['Cc', parsed.cc],
      ['Bcc', summary.bcc],
      ['Reply-To', parsed.replyTo],
    ] as const
  ).filter(([, all]) => all.length > 0);
  const files = filesOf(parsed).map(
    ({ filename, contentType, content, cid }, index) =>
      html`<li><a href="/mails/${summary.id}/attachments/${index}" download>${filename ? plainText(filename) : `attachment ${index + 1}`}</a> <span class="faint">${contentType}, ${byteLabel(content.length)}${cid && `, inline as ${cid}`}</span></li>`,
  );
  const links = linksIn(parsed);
  return html`<p class="back"><a href="/">← Inbox</a></p><h1>${subjectOf(summary.subject)}</h1>
<div class="split"><div>
<dl class="people">${people.map(([name, all]) => html`<div><dt>${name}</dt><dd>${plainText(all.map(written).join(', '))}</dd></div>`)}</dl>
${files.length > 0 && html`<section aria-labelledby="files"><h2 id="files">${count(files.length, 'attachment')}</h2><ul>${files}</ul></section>`}
${parsed.html && content(summary.id)}
${parsed.text && html`<section aria-labelledby="text"><h2 id="text">Text</h2><pre tabindex="0">${parsed.text}</pre></section>`}
${!parsed.text && parsed.html && html`<p class="faint">It has no text part.</p>`}
${links.length > 0 && html`<details><summary>${count(links.length, 'link')} in it</summary><ul class="links">${links.map((href) => html`<li><a href="${href}" rel="noreferrer noopener" target="_blank">${href}</a></li>`)}</ul></details>`}
<details><summary>Headers</summary><pre tabindex="0" role="region" aria-label="Headers">${parsed.headers.map(([name, value]) => `${name}: ${value}`).join('\n')}</pre></details>
<p><a href="/mails/${summary.id}/source">Source</a> <span class="faint">${byteLabel(summary.size)}, as Gmail got it</span></p>
<form method="post" action="/mails" class="actions"><input type="hidden" name="id" value="${summary.id}">
<label for="tags">Tags</label> <input id="tags" name="tags" value="${summary.tags.join(', ')}" placeholder="invoice, welcome" autocomplete="off"><button name="do" value="tag">Save</button>
<button name="do" value="unread">Mark unread</button> <button name="do" value="delete" class="danger">Delete</button></form></div>
<aside id="became" data-live aria-labelledby="became-title"><h2 id="became-title">What became of it</h2>${became(email, entry)}${cameBack(laptop, summary.id)}${entry && linesOf(laptop, String(entry['id']))}</aside></div>`;
}

const filesOf = ({ attachments, inline }: ParsedEmail) => [...attachments, ...inline];
const written = ({ Name, Address }: ParsedAddress): string => (Name ? `${Name} <${Address}>` : Address);

/** The html in a frame without rights, at the width of a desktop or a phone. */
const content = (id: string): Html =>
  html`<section class="content" aria-labelledby="html"><div class="title"><h2 id="html">HTML</h2>
<fieldset class="choice"><legend class="unseen">Width of the preview</legend><label><input type="radio" name="width" checked> Desktop</label><label><input type="radio" name="width" id="narrow"> Phone</label></fieldset></div>
<iframe title="The email as HTML" sandbox src="/mails/${id}/html"></iframe>
<p class="faint">PageContext without scripts, and without anything from elsewhere. <a href="/mails/${id}/check">Which email programs show it?</a></p></section>`;

function became({ summary }: OpenEmail, entry: LedgerRecordRow | null): Html {
  const { created, id, mailbox, tags } = summary;
  return html`<dl class="facts">
<div><dt>Outcome</dt><dd>${stateLabel(entry)}</dd></div>
${entry && html`<div><dt>Attempts</dt><dd>${entry['attempts']}</dd></div><div><dt>Caller</dt><dd>${entry['caller']}</dd></div>`}
<div><dt>Sent as</dt><dd>${mailbox}</dd></div>
<div><dt>Arrived</dt><dd>${moment(created)}</dd></div>
${tags.length > 0 && html`<div><dt>Tags</dt><dd>${tags.map((tag) => html`${tagLink(tag)} `)}</dd></div>`}
<div><dt>Email id</dt><dd>${entry ? html`<a href="/ledger/${entry['id']}"><code>${entry['id']}</code></a>` : 'not in the ledger'}</dd></div>
<div><dt>Gmail id</dt><dd><code>${id}</code></dd></div></dl>`;
}

/** The reports about it, and the button that has one come. */
function cameBack({ google, config }: PageContext, id: string): Html {
  const mail = google.mails.get(id);
  const watched = config.mailboxes.some(({ address, bounces }) => bounces && address === mail?.mailbox);
  const reports = google.received.about(id).map(({ at, raw }) => {
    const subject = /^Subject: (.*)$/m.exec(raw.toString('latin1'))?.[1] ?? '';
    return html`<li>${subjectOf(subject.trim())} <span class="faint">${moment(at)}</span></li>`;
  });
  return html`<section aria-labelledby="back"><h3 id="back">What came back</h3>
${reports.length > 0 ? html`<ul>${reports}</ul>` : html`<p class="faint">Nothing.</p>`}
<form method="post" action="/bounces" class="actions"><input type="hidden" name="id" value="${id}"><button>Bounce its recipient</button></form>
${!watched && html`<p class="faint">Nobody looks: its mailbox has no <code>bounces: true</code>.</p>`}</section>`;
}

/** `POST /bounces`: the first recipient of an email bounces. */
export function bounceRecipient({ google, ...laptop }: PageContext, form: FormData): FakeReply {
  const id = String(form.get('id') ?? '');
  return google.received.bounce(id) === null
    ? plainPage({ google, ...laptop }, 404, 'No such email', 'The laptop’s Gmail has no email of this id. It may have been deleted.')
    : seeOther(`/mails/${id}`);
}

/** `GET /mails/ID/check`: which email programs do not show what the html uses. */
async function htmlCheckPage(laptop: PageContext, { summary, parsed }: OpenEmail): Promise<FakeReply> {
  const checked = parsed.html === '' ? null : await checkHtml(parsed.html);
  const result = checked
    ? html`<p>${count(checked.Warnings.length, 'feature')} that some email programs do not show, by the data of caniemail.com.</p>
${
  checked.Warnings.length > 0 &&
  html`<div class="scroll" tabindex="0" role="region" aria-label="Features"><table><thead><tr><th scope="col">Feature</th><th scope="col">Not shown by</th><th scope="col" class="wide">PageContext in part by</th></tr></thead><tbody>${checked.Warnings.map(
    (warning) => {
      const names = (support: string): string =>
        warning.Results.filter((one) => one.Support === support)
          .map(({ Name }) => Name)
          .join(', ');
      return html`<tr><th scope="row">${warning.URL ? html`<a href="${warning.URL}" rel="noreferrer noopener" target="_blank">${warning.Title}</a>` : warning.Title}</th><td>${names('no') || '–'}</td><td class="wide">${names('partial') || '–'}</td></tr>`;
    },
  )}</tbody></table></div>`
}`
    : html`<p>${parsed.html === '' ? 'The email has no html part.' : html`The check needs a package that is not installed: <code>npm install --save-dev caniemail</code>`}</p>`;
  return page(laptop, {
    title: 'HTML check',
    place: '/',
    body: html`<p class="back"><a href="/mails/${summary.id}">← ${subjectOf(summary.subject)}</a></p><h1>HTML check</h1>${result}`,
  });
}

function attachment(laptop: PageContext, parsed: ParsedEmail, index: number): FakeReply {
  const found = filesOf(parsed)[index];
  if (!found) return plainPage(laptop, 404, 'No such attachment', 'The email has no attachment of this number.');
  const name = encodeURIComponent(found.filename || `attachment-${index + 1}`).replace(
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
