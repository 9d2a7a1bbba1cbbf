const NAMED: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  euro: '€',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  shy: '',
};
const SILENT = new Set(['style', 'script', 'head', 'title', 'template']);
const LINE = new Set(['br', 'hr', 'div', 'tr', 'li']);
const PARAGRAPH = new Set(['p', 'ul', 'ol', 'table', 'blockquote', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'section', 'article']);

/**
 * A readable text part for a mail that came with html only: links keep their address, blocks become lines.
 * One pass from left to right, so that hostile html costs no more than its length.
 */
export function plainText(html: string): string {
  const out: string[] = [];
  let href = '';
  let label = 0; // where in `out` the text of the open link begins
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf('<', at);
    if (open < 0) break;
    out.push(html.slice(at, open).replace(/\s+/g, ' '));
    const comment = html.startsWith('<!--', open);
    const close = html.indexOf(comment ? '-->' : '>', open);
    if (close < 0) return tidy(out);
    at = close + (comment ? 3 : 1);
    if (comment) continue;
    const tag = html.slice(open + 1, close);
    const name = /^\/?[a-z0-9]*/i.exec(tag)?.[0].toLowerCase() ?? '';
    const bare = name.replace('/', '');
    if (SILENT.has(name)) at = after(html, name, at);
    else if (name === 'a') {
      href = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(tag.slice(0, 4_000))?.slice(1).find(Boolean) ?? '';
      label = out.length;
    } else if (name === '/a') {
      const words = out.slice(label).join('').trim();
      if (/^(https?|mailto):/i.test(href) && words !== href) out.push(words === '' ? href : ` (${href})`);
      href = '';
    } else if (name === 'li') out.push('\n- ');
    else if (PARAGRAPH.has(bare)) out.push('\n\n');
    else if (LINE.has(bare)) out.push('\n');
    else if (name === '/td' || name === '/th') out.push(' ');
  }
  out.push(html.slice(at).replace(/\s+/g, ' '));
  return tidy(out);
}

/** The position behind the closing tag of an element whose content is not read. */
function after(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}\\s{0,9}>`, 'gi');
  closing.lastIndex = from;
  return closing.test(html) ? closing.lastIndex : html.length;
}

function tidy(parts: string[]): string {
  const lines = entities(parts.join(''))
    .split('\n')
    .map((line) => line.replace(/ {2,}/g, ' ').trim());
  return lines
    .filter((line, index) => line !== '' || (lines[index - 1] ?? '') !== '')
    .join('\n')
    .trim();
}

function entities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name: string) => {
    if (name) return NAMED[name.toLowerCase()] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 31 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}
