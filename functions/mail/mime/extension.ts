import { detectExtension as extensionIn } from 'nodemailer/lib/mime-funcs';
import { blockedType } from './gmail-limits.ts';

// What nodemailer's table lacks, or names in a way that few programs open.
const NEWER: Readonly<Record<string, string>> = {
  'application/gzip': 'gz',
  'application/x-pdf': 'pdf',
  'application/x-ndjson': 'ndjson',
  'application/yaml': 'yaml',
  'application/wasm': 'wasm',
  'audio/mpeg': 'mp3',
  'image/apng': 'apng',
  'image/avif': 'avif',
  'image/heic': 'heic',
  'image/heif': 'heif',
  'image/jpeg': 'jpg',
  'image/jpg': 'jpg',
  'image/pjpeg': 'jpg',
  'image/vnd.microsoft.icon': 'ico',
  'image/x-ms-bmp': 'bmp',
  'image/x-png': 'png',
  'text/markdown': 'md',
  'text/x-markdown': 'md',
  'text/x-python': 'py',
  'text/yaml': 'yaml',
};

/** The extension of a name for a file of this type, without the dot: `bin` for a type that is not known, or that Gmail would refuse. */
export function detectExtension(contentType: string): string {
  const type = contentType.replace(/;.*/s, '').trim().toLowerCase();
  const found = (Object.hasOwn(NEWER, type) ? NEWER[type] : undefined) ?? extensionIn(type);
  return /^\w+$/.test(found) && blockedType(`a.${found}`) === null ? found : 'bin';
}
