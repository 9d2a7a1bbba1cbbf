import type { FilePart } from './file-parts.ts';

const IMAGE = /(<img\b(?:[^<>"']|"[^"]*"|'[^']*')*?\ssrc\s*=\s*)("data:image\/[^"]*"|'data:image\/[^']*'|data:image\/[^\s"'<>]*)/gi;
const DATA = /^data:(image\/[\w.+-]{1,60})((?:;[^;,]{0,100}){0,5}?)(;base64)?,(.*)$/is;
const COUNT_MAX = 100;

/**
 * Replaces `data:` images, which Gmail does not show, by parts of the message. `idOf` makes the content id of the image with that
 * number; equal images share one part. An image that cannot be decoded stays as it is.
 */
export function withInlineImages(
  html: string,
  idOf: (number: number) => string,
): { readonly html: string; readonly images: readonly FilePart[] } {
  if (!/data:image\//i.test(html)) return { html, images: [] };
  const images = new Map<string, FilePart>();
  const written = html.replace(IMAGE, (whole, before: string, given: string) => {
    const address = given.replace(/^["']|["']$/g, '');
    const image = images.get(address) ?? (images.size < COUNT_MAX ? imageIn(address, images.size + 1, idOf) : null);
    if (!image) return whole;
    images.set(address, image);
    return `${before}"cid:${image.cid}"`;
  });
  return { html: written, images: [...images.values()] };
}

function imageIn(address: string, number: number, idOf: (number: number) => string): FilePart | null {
  const [, type = '', , base64, data = ''] = DATA.exec(address) ?? [];
  const content = base64 ? fromBase64(data) : fromPercent(data);
  if (type === '' || content === null || content.length === 0) return null;
  const name = type.slice('image/'.length).toLowerCase().replace('jpeg', 'jpg').replace(/\W.*/, '');
  return { filename: `image-${number}.${name}`, contentType: type.toLowerCase(), cid: idOf(number), content };
}

function fromBase64(data: string): Uint8Array | null {
  const packed = data.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))).replace(/[\s=]+/g, '');
  const bytes = Buffer.from(packed, 'base64');
  return packed.length % 4 !== 1 && bytes.length === Math.floor((packed.length * 3) / 4) ? bytes : null;
}

function fromPercent(data: string): Uint8Array | null {
  try {
    return Buffer.from(decodeURIComponent(data));
  } catch {
    return null;
  }
}
