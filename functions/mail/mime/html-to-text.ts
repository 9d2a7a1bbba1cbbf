import { compile, type FormatCallback, type SelectorDefinition } from 'html-to-text';

const block = (selector: string, lines: number): SelectorDefinition => ({
  selector,
  format: 'block',
  options: { leadingLineBreaks: lines, trailingLineBreaks: lines },
});
const skip = (selector: string): SelectorDefinition => ({ selector, format: 'skip' });
const PARAGRAPHS = [
  'p',
  'blockquote',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'section',
  'article',
  'table',
  'figure',
  'dl',
  'fieldset',
  'details',
];
const LINES = ['tr', 'caption', 'li', 'dt', 'dd', 'legend', 'summary', 'address', 'center', 'figcaption', 'option'];
const SILENT = [
  'style',
  'script',
  'head',
  'title',
  'template',
  'noscript',
  'datalist',
  'svg',
  'math',
  'iframe',
  'object',
  'audio',
  'video',
  'canvas',
];

/** The words of a link, followed by its address where a person could follow it and the words do not already say it. */
const link: FormatCallback = (elem, walk, builder) => {
  const href = String(elem.attribs?.['href'] ?? '').trim();
  let words = '';
  builder.pushWordTransform((word) => {
    words += word;
    return word;
  });
  walk(elem.children, builder);
  builder.popWordTransform();
  if (!/^(https?|mailto):/i.test(href) || words === href.replace(/\s+/g, '') || words === href.slice('mailto:'.length)) return;
  builder.addInline(words === '' ? href : ` (${href})`, { noWordTransform: true });
};

const image: FormatCallback = (elem, _walk, builder) => builder.addInline(` ${elem.attribs?.['alt'] ?? ''} `);

const cell: FormatCallback = (elem, walk, builder) => {
  walk(elem.children, builder);
  builder.addInline(' ');
};

// The library leaves out elements that are nested deeper; its parser takes quadratic time for a nesting that no real email has.
const DEPTH_MAX = 150;
const OPEN_MAX = 1_000;
// Elements that html closes by itself (the end tag may be left out), and elements that have no content.
const COUNTED_NOT =
  /^(area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr|p|li|dt|dd|option|optgroup|tr|td|th|thead|tbody|tfoot|colgroup|rp|rt|html|head|body)$/i;

const convert = compile({
  wordwrap: false,
  formatters: { link, altOf: image, cell },
  limits: { maxInputLength: Number.POSITIVE_INFINITY, maxDepth: DEPTH_MAX },
  selectors: [
    ...PARAGRAPHS.map((selector) => block(selector, 2)),
    ...LINES.map((selector) => block(selector, 1)),
    ...SILENT.map(skip),
    { selector: 'a', format: 'link' },
    { selector: 'img', format: 'altOf' },
    { selector: 'td', format: 'cell' },
    { selector: 'th', format: 'cell' },
    { selector: 'hr', format: 'lineBreak' },
    { selector: 'ul', options: { itemPrefix: '- ' } },
  ],
});

/**
 * A readable text part for an email that came with html only: links keep their address, images their alternative text, blocks
 * become lines. No-break spaces become plain spaces, and soft hyphens are removed.
 */
export function htmlToText(html: string): string {
  const text = convert(withoutAbyss(html)).replaceAll('\u00ad', '');
  return text
    .replace(/[ \t\u00a0]+/g, asBlank)
    .replace(/^\n+/, '')
    .trimEnd();
}

/**
 * A run of blanks that contains a no-break space becomes one plain space, or nothing at the begin or end of a line; the library
 * handles other runs.
 */
function asBlank(run: string, at: number, text: string): string {
  const ends = at + run.length === text.length || text[at + run.length] === '\n';
  if (!ends && !run.includes('\u00a0')) return run;
  return ends || at === 0 || text[at - 1] === '\n' ? '' : ' ';
}

/** The html up to the point where more than a thousand elements are open. */
function withoutAbyss(html: string): string {
  let open = 0;
  for (const { 1: slash, 2: name = '', index } of html.matchAll(/<(\/?)([a-z][a-z0-9]*)/gi)) {
    if (COUNTED_NOT.test(name)) continue;
    open = slash ? Math.max(0, open - 1) : open + 1;
    if (open > OPEN_MAX) return html.slice(0, index);
  }
  return html;
}
