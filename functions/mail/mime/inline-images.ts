import { QuoteType, Tokenizer } from 'htmlparser2';
import { detectExtension } from './extension.ts';
import type { FilePart } from './file-parts.ts';

const IMAGES = new Set(['img', 'image', 'input']);
const COUNT_MAX = 100;

/**
 * Replaces `data:` images, which Gmail does not show, by parts of the message. `idOf` makes the content id of the image with that
 * number; equal images share one part. An image that cannot be decoded stays as it is.
 */
export function withInlineImages(
  html: string,
  idOf: (number: number) => string,
): { readonly html: string; readonly images: readonly FilePart[] } {
  const images = new Map<string, FilePart>();
  let written = '';
  let at = 0;
  for (const { address, start, end } of sourcesIn(html)) {
    const image = images.get(address) ?? (images.size < COUNT_MAX ? imageIn(address, images.size + 1, idOf) : null);
    if (!image) continue;
    images.set(address, image);
    written += `${html.slice(at, start)}"cid:${image.cid}"`;
    at = end;
  }
  return { html: written + html.slice(at), images: [...images.values()] };
}

interface Source {
  /** As a browser reads it: entities decoded, without blanks around it and line breaks in it. */
  readonly address: string;
  /** Where the value stands, with its quotes. */
  readonly start: number;
  readonly end: number;
}

/** The `data:` addresses in `src` of images; not those in comments, scripts and other texts. */
function sourcesIn(html: string): Source[] {
  const found: Source[] = [];
  let tag = '';
  let name = '';
  let start = 0;
  let value = '';
  const nothing = (): void => {};
  const tokenizer = new Tokenizer(
    { xmlMode: false, decodeEntities: true },
    {
      onopentagname: (from, to) => {
        tag = html.slice(from, to).toLowerCase();
      },
      onattribname: (from, to) => {
        name = html.slice(from, to).toLowerCase();
        start = to;
        value = '';
      },
      onattribdata: (from, to) => {
        value += html.slice(from, to);
      },
      onattribentity: (codepoint) => {
        value += String.fromCodePoint(codepoint);
      },
      onattribend: (quote, end) => {
        if (quote === QuoteType.NoValue || name !== 'src' || !IMAGES.has(tag)) return;
        const address = value.replace(/[\t\n\r]+/g, '').replace(/^[\0- ]+|[\0- ]+$/g, '');
        if (/^data:/i.test(address))
          found.push({ address, start: start + (/^\s*=\s*/.exec(html.slice(start, end))?.[0].length ?? 0), end });
      },
      oncdata: nothing,
      onclosetag: nothing,
      oncomment: nothing,
      ondeclaration: nothing,
      onend: nothing,
      onopentagend: nothing,
      onprocessinginstruction: nothing,
      onselfclosingtag: nothing,
      ontext: nothing,
      ontextentity: nothing,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return found;
}

function imageIn(address: string, number: number, idOf: (number: number) => string): FilePart | null {
  const [, named = '', parameters = '', data = ''] = /^data:([^;,]*)([^,]*),(.*)$/is.exec(address) ?? [];
  const content = /;\s*base64\s*$/i.test(parameters) ? fromBase64(data) : fromPercent(data);
  if (content === null || content.length === 0) return null;
  const type = typeOf(named.trim().toLowerCase(), content);
  return type === null ? null : { filename: `image-${number}.${detectExtension(type)}`, contentType: type, cid: idOf(number), content };
}

// The first bytes of the formats that mail programs show.
const SIGNATURES: readonly (readonly [type: string, signature: RegExp])[] = [
  ['image/png', /^\x89PNG/],
  ['image/gif', /^GIF8/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/webp', /^RIFF.{4}WEBP/s],
  ['image/bmp', /^BM/],
];

/** Browsers show an image whose type is not said, or is said to be any file; a mail program goes by the type. */
function typeOf(named: string, content: Uint8Array): string | null {
  if (/^image\/[\w.+-]{1,60}$/.test(named)) return named === 'image/jpg' ? 'image/jpeg' : named;
  if (named !== '' && named !== 'application/octet-stream') return null;
  const begin = Buffer.from(content.subarray(0, 16)).toString('latin1');
  return SIGNATURES.find(([, signature]) => signature.test(begin))?.[0] ?? null;
}

function fromBase64(data: string): Uint8Array | null {
  const packed = data.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))).replace(/[\s=]+/g, '');
  const bytes = Buffer.from(packed, 'base64');
  return packed.length % 4 !== 1 && bytes.length === Math.floor((packed.length * 3) / 4) ? bytes : null;
}

/** Percent signs stand for bytes, of an image as of a text. */
function fromPercent(data: string): Uint8Array | null {
  if (!data.isWellFormed()) return null;
  return Buffer.from(
    data
      .replace(/[^ -~]+/g, encodeURIComponent)
      .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}
