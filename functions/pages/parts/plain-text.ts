import { type Html, html } from './html.ts';

/** Characters that change the direction of a text or are invisible: with them `invoice‮fdp.exe` looks like a PDF. */
const NAMES: Readonly<Record<string, string>> = {
  '\u061C': 'Arabic letter mark',
  '\u200B': 'zero width space',
  '\u200E': 'left-to-right mark',
  '\u200F': 'right-to-left mark',
  '\u202A': 'left-to-right embedding',
  '\u202B': 'right-to-left embedding',
  '\u202C': 'pop directional formatting',
  '\u202D': 'left-to-right override',
  '\u202E': 'right-to-left override',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'first strong isolate',
  '\u2069': 'pop directional isolate',
};
const MARKS = new RegExp(`([${Object.keys(NAMES).join('')}])`);

/** A text from outside on one line, with such characters shown by their code. */
export function plainText(text: string): Html {
  const parts = text.split(MARKS);
  return html`<bdi>${parts.map((part) => (Object.hasOwn(NAMES, part) ? mark(part) : part))}</bdi>`;
}

function mark(sign: string): Html {
  const code = `U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return html`<mark class="bidi" title="${NAMES[sign]}">${code}</mark>`;
}

/** The subject as a page shows it. */
export const subjectOf = (subject: string): Html => (subject.trim() === '' ? html`(no subject)` : plainText(subject));
