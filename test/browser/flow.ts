/** The picture of a mail's way: `npm run screenshots` writes it to docs/flow.svg. Boxes are as wide as their words need. */

interface Box {
  readonly title: string;
  readonly lines: readonly string[];
}

const SOURCES: readonly Box[] = [
  { title: 'Apps', lines: ['SDK, Django, SMTP; a key'] },
  { title: 'Webhooks', lines: ['GitHub, Stripe, Grafana …'] },
  { title: 'Pub/Sub, Eventarc', lines: ['mails, events, documents'] },
];
const FUNCTIONS: readonly Box[] = [
  { title: 'api', lines: ['parse, authorise the key'] },
  { title: 'hooks', lines: ['verify; route, condition, template'] },
  { title: 'worker', lines: ['the queue; routes; its status is the ack'] },
];
const STEPS = [
  'claim the mail in the ledger',
  'read the grant, mint a token, compose',
  'open a session with Gmail',
  'save its address in the ledger',
  'send the letter; reply lost? ask the session',
  'record sent, failed, retry, parked or unknown',
];
const GOOGLE: readonly Box[] = [
  { title: 'Ledger (Firestore)', lines: ['what became of each mail'] },
  { title: 'Secret Manager', lines: ['the refresh token'] },
  { title: 'Google’s token endpoint', lines: ['one access token per call'] },
  { title: 'Gmail', lines: ['upload session: opened, sent,', 'asked when a reply is lost'] },
];
const ABOUT =
  'Apps post to the function api, by HTTP or through the SMTP sidecar; webhooks come to hooks; Pub/Sub delivers queued mails and events to worker. Each claims the mail in the ledger, reads the grant from Secret Manager, mints a token, opens an upload session with Gmail, saves it in the ledger, sends the letter, and records the outcome.';

const [MARGIN, GAP, PAD, LINE, LETTER] = [24, 60, 14, 19, 8.2]; // LETTER: a wide font's average at 14 px
const [INK, FAINT, BLUE] = ['#1b2433', '#51617a', '#1d3f7c'];

const widthOf = (boxes: readonly Box[]): number =>
  Math.ceil(Math.max(...boxes.flatMap(({ title, lines }) => [title, ...lines]).map((text) => text.length)) * LETTER + 2 * PAD);
const heightOf = ({ lines }: Box): number => 33 + LINE * lines.length;

function drawn({ title, lines }: Box, x: number, y: number, width: number, edge: string): string {
  const height = heightOf({ title, lines });
  const text = lines
    .map((line, index) => `<text x="${x + PAD}" y="${y + 23 + LINE * (index + 1)}" fill="${FAINT}">${line}</text>`)
    .join('');
  return `<g class="box"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="#fff" stroke="${edge}"/><text x="${x + PAD}" y="${y + 22}" font-weight="600" fill="${INK}">${title}</text>${text}</g>`;
}

/** The whole picture. */
export function flowSvg(): string {
  const left = widthOf(SOURCES);
  const inner = Math.max(widthOf(FUNCTIONS), widthOf([{ title: '', lines: STEPS.map((step) => `1  ${step}`) }]));
  const right = widthOf(GOOGLE);
  const [frame, framed] = [MARGIN + left + GAP, inner + 40];
  const inside = frame + 20;
  const google = frame + framed + GAP + 8;
  const [width, height] = [google + right + MARGIN, 476];
  const rows = [72, 138, 204];
  const stops = [44, 134, 224, 358];
  const end = frame + framed;
  const middle = (index: number): number => (stops[index] ?? 0) + 27;
  const bend = (from: number, to: number): string => `M${end} ${from}C${end + 36} ${from} ${google - 40} ${to} ${google - 2} ${to}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t d" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="14">
<title id="t">A mail's way through mailgrant</title>
<desc id="d">${ABOUT}</desc>
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="${FAINT}"/></marker></defs>
<rect width="${width}" height="${height}" rx="12" fill="#fbfcfe"/>
${SOURCES.map((box, index) => drawn(box, MARGIN, rows[index] ?? 0, left, '#b9c4d6')).join('\n')}
<g class="box"><rect x="${frame}" y="30" width="${framed}" height="420" rx="12" fill="#eef3fc" stroke="#7d9bd1"/><text x="${inside}" y="57" font-weight="700" fill="${BLUE}">mailgrant, in your project</text>
${STEPS.map((step, index) => `<text x="${inside + PAD}" y="${302 + 24 * index}" fill="${INK}"><tspan font-weight="700" fill="${BLUE}">${index + 1}</tspan>  ${step}</text>`).join('\n')}</g>
${FUNCTIONS.map((box, index) => drawn(box, inside, rows[index] ?? 0, inner, '#7d9bd1')).join('\n')}
${GOOGLE.map((box, index) => drawn(box, google, stops[index] ?? 0, right, '#b9c4d6')).join('\n')}
<g stroke="${FAINT}" stroke-width="1.6" fill="none" marker-end="url(#a)">
${rows.map((y) => `<path d="M${MARGIN + left} ${y + 26}H${inside - 2}"/>`).join('')}
<path d="${bend(297, middle(0))}" marker-start="url(#a)"/><path d="${bend(318, middle(1))}"/><path d="${bend(326, middle(2))}"/><path d="${bend(393, middle(3) + 8)}" marker-start="url(#a)"/>
<path d="M${inside + inner / 2} 256V284"/></g>
</svg>
`;
}
