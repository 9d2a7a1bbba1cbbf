import { addressText, type Shown } from './inbox.ts';

type Row = Readonly<Record<string, string | number | null>>;

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --faint: #888; --accent: #0b57d0 }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8 } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; border-bottom: 1px solid var(--line); margin-bottom: 1rem }
h1 { font-size: 1.3rem; margin: .3rem 0 } h2 { font-size: 1rem; margin: 1.5rem 0 .3rem }
a { color: var(--accent) } .faint { color: var(--faint) }
.scroll { overflow-x: auto } .scroll table { min-width: 52rem } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
th { font-weight: 600; white-space: nowrap } time, code { font-variant-numeric: tabular-nums; white-space: nowrap }
.state { border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; white-space: nowrap }
.sent { color: #137333 } .failed, .unknown { color: #c5221f } .waiting, .parked, .sending, .claimed { color: #b06000 }
@media (prefers-color-scheme: dark) { .sent { color: #81c995 } .failed, .unknown { color: #f28b82 } .waiting, .parked, .sending, .claimed { color: #fdd663 } }
iframe { width: 100%; height: 24rem; border: 1px solid var(--line); background: #fff }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: .7rem; max-height: 30rem; overflow: auto }
`;

/** The inbox: mails that arrived, and below them what the ledger knows of every mail, sent or not. */
export function listPage(mails: readonly Shown[], ledger: readonly Row[]): string {
  const rows = mails.map(
    ({ stored, parsed, entry }) => `<tr><td><time>${time(stored.at)}</time></td><td>${text(stored.recipients.join(', '))}</td>
<td><a href="/mails/${stored.id}">${text(parsed.subject || '(no subject)')}</a>${parsed.attachments.length > 0 ? ` <span class="faint">${count(parsed.attachments.length, 'attachment')}</span>` : ''}</td>
<td>${text(stored.mailbox)}</td><td>${state(entry)}</td></tr>`,
  );
  const entries = ledger.map(
    (
      entry,
    ) => `<tr><td><time>${time(Number(entry['acceptedAt']))}</time></td><td><code>${text(entry['id'])}</code></td><td>${state(entry)}</td>
<td>${text(entry['attempts'])}</td><td>${text(entry['caller'])}</td><td>${text(entry['code'] ?? '')}</td></tr>`,
  );
  return page(
    'Inbox',
    `<h1>Inbox</h1><span class="faint">${count(mails.length, 'mail')} that the laptop's Gmail took</span>`,
    `<main><div class="scroll"><table><thead><tr><th scope="col">Time</th><th scope="col">To</th><th scope="col">Subject</th><th scope="col">Mailbox</th><th scope="col">Outcome</th></tr></thead>
<tbody>${rows.join('') || '<tr><td colspan="5">Nothing yet. Post a mail: the command is in the terminal.</td></tr>'}</tbody></table></div>
<h2>Ledger</h2><div class="scroll"><table><thead><tr><th scope="col">Accepted</th><th scope="col">Id</th><th scope="col">State</th><th scope="col">Attempts</th><th scope="col">Caller</th><th scope="col">Code</th></tr></thead>
<tbody>${entries.join('') || '<tr><td colspan="6">No mail was asked for yet.</td></tr>'}</tbody></table></div></main><script src="/refresh.js"></script>`,
  );
}

/** One mail: what the reader sees, and everything it is made of. */
export function mailPage({ stored, parsed, entry }: Shown): string {
  const facts: [string, string][] = [
    ['From', text(addressText(parsed.from))],
    ['To', text(addressText(parsed.to))],
    ['Cc', text(addressText(parsed.cc))],
    ['Bcc', text(addressText(parsed.bcc))],
    ['Reply-To', text(addressText(parsed.replyTo))],
    ['Sent as', text(stored.mailbox)],
    ['Arrived', `<time>${time(stored.at)}</time>`],
    ['Gmail id', `<code>${stored.id}</code>`],
    ['mailgrant id', entry ? `<code>${text(entry['id'])}</code>` : 'none'],
    ['Outcome', `${state(entry)} ${entry ? `after ${count(Number(entry['attempts']), 'attempt')}` : ''}`],
  ];
  const files = parsed.attachments.map(
    ({ filename, contentType, size, cid }, index) =>
      `<li><a href="/mails/${stored.id}/attachments/${index}">${text(filename ?? `attachment ${index + 1}`)}</a> <span class="faint">${text(contentType)}, ${size} bytes${cid ? `, inline as ${text(cid)}` : ''}</span></li>`,
  );
  const headers = parsed.headerLines.map(({ line }) => text(line)).join('\n');
  return page(
    parsed.subject || '(no subject)',
    `<h1>${text(parsed.subject || '(no subject)')}</h1><a href="/">Inbox</a>`,
    `<main><table><tbody>${facts
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `<tr><th scope="row">${name}</th><td>${value}</td></tr>`)
      .join('')}</tbody></table>
${files.length > 0 ? `<h2>Attachments</h2><ul>${files.join('')}</ul>` : ''}
${parsed.html ? `<h2>HTML</h2><iframe title="The mail as HTML" sandbox src="/mails/${stored.id}/html"></iframe>` : ''}
${parsed.text ? `<h2>Text</h2><pre tabindex="0">${text(parsed.text)}</pre>` : ''}
<h2>Headers</h2><pre tabindex="0">${headers}</pre><p><a href="/mails/${stored.id}/source">Source</a> <span class="faint">${stored.raw.length} bytes</span></p></main>`,
  );
}

export const notFoundPage = (): string => page('Not found', '<h1>No such mail</h1><a href="/">Inbox</a>', '<main></main>');

const page = (title: string, head: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text(title)} · mailgrant</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body><header>${head}</header>${body}</body></html>`;

const text = (value: unknown): string => String(value ?? '').replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const time = (ms: number): string => new Date(ms || 0).toISOString().slice(0, 19).replace('T', ' ');
const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
const state = (entry: Row | null): string =>
  entry ? `<span class="state ${text(entry['state'])}">${text(entry['state'])}</span>` : '<span class="faint">not ours</span>';
