/** The HTML context of the text that follows, as a browser reads it: enough to decide what an escaped value could do there. */
export interface HtmlContext {
  readonly mode: 'text' | 'comment' | 'raw' | 'tag name' | 'in tag' | 'attribute name' | 'after name' | 'before value' | 'value';
  readonly tag: string;
  readonly attribute: string;
  /** The quote around the value; '' for none. */
  readonly quote: string;
  /** The value so far, or the last characters of a script, a style or a comment. */
  readonly value: string;
}

export const PAGE: HtmlContext = { mode: 'text', tag: '', attribute: '', quote: '', value: '' };

const BLANK = /\s/;
const TAIL = 12;

/** The context after the text. */
export function contextAfter(text: string, from: HtmlContext): HtmlContext {
  let { mode, tag, attribute, quote, value } = from;
  const close = (): void => {
    mode = /^(script|style)$/.test(tag) ? 'raw' : 'text';
    [attribute, quote, value] = ['', '', ''];
  };
  for (const [at, char] of [...text].entries()) {
    switch (mode) {
      case 'text':
        if (char !== '<') break;
        if (text.startsWith('<!--', at)) [mode, value] = ['comment', ''];
        else [mode, tag] = ['tag name', ''];
        break;
      case 'comment':
        value = `${value}${char}`.slice(-TAIL);
        if (value.endsWith('-->')) mode = 'text';
        break;
      case 'raw':
        value = `${value}${char}`.slice(-TAIL);
        if (value.toLowerCase().endsWith(`</${tag}`)) [mode, tag] = ['in tag', `/${tag}`];
        break;
      case 'tag name':
        if (char === '>') close();
        else if (BLANK.test(char))
          mode = tag === '' ? 'text' : 'in tag'; // "a < b" is text
        else tag += char.toLowerCase();
        break;
      case 'in tag':
      case 'after name':
        if (char === '>') close();
        else if (char === '=' && mode === 'after name') [mode, value] = ['before value', ''];
        else if (!BLANK.test(char) && char !== '/') [mode, attribute] = ['attribute name', char.toLowerCase()];
        break;
      case 'attribute name':
        if (char === '>') close();
        else if (char === '=') [mode, value] = ['before value', ''];
        else if (BLANK.test(char)) mode = 'after name';
        else attribute += char.toLowerCase();
        break;
      case 'before value':
        if (char === '>') close();
        else if (char === '"' || char === "'") [mode, quote, value] = ['value', char, ''];
        else if (!BLANK.test(char)) [mode, quote, value] = ['value', '', char];
        break;
      case 'value':
        if (quote === '' && char === '>') close();
        else if (quote === '' ? BLANK.test(char) : char === quote) [mode, attribute, value] = ['in tag', '', ''];
        else value += char;
        break;
    }
  }
  return { mode, tag, attribute, quote, value };
}

const ADDRESSES = /^(href|src|srcset|action|formaction|background|poster|cite|data|xlink:href)$/;
const WHOLE_SCHEME = /^\s*(https?:\/\/|mailto:|tel:|cid:|[/#?.])/i;

/** Why no value may be inserted there, even escaped; null where it may. */
export function valueProblem({ mode, tag, attribute, value }: HtmlContext): string | null {
  if (mode === 'raw')
    return `a value inside <${tag}> is read as ${tag === 'script' ? 'a program' : 'style'}; put it into the text, or into an attribute`;
  if (mode === 'tag name') return 'a value cannot be the name of a tag';
  if (mode === 'in tag' || mode === 'attribute name' || mode === 'after name') return 'a value cannot be the name of an attribute';
  if (mode !== 'value') return null;
  if (/^on/.test(attribute)) return `a value inside ${attribute} is read as a program`;
  if (attribute === 'srcdoc') return 'a value inside srcdoc is read as a page of its own';
  if (ADDRESSES.test(attribute) && value.trim() !== '' && !WHOLE_SCHEME.test(value))
    return 'a value cannot be a part of the scheme of an address; begin it with https://, or make the whole of it by {{url …}}';
  return null;
}
