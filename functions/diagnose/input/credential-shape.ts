import { fromBase64 } from './normalise.ts';

/** What can be told of a credential without showing it. */
export type Shape = 'sent-empty' | 'sent-altered' | 'sent-app-password' | 'sent-bare-user';

const NOTHING = /^(?:undefined|null|none|nil|your[_ -].*|\$\{.*|\[object.*|change_?me)?$/i;
const ALTERED = /^["']|["']$|^\s|\s$|%[2-4][\dA-F]|&amp;|\\|\xa0|\xc2/;

/** Looks into AUTH PLAIN, AUTH LOGIN and XOAUTH2 answers in a transcript. Only shapes leave, never the values. */
export function credentialShapes(lines: readonly string[]): ReadonlySet<Shape> {
  const shapes = new Set<Shape>();
  for (const [user, secret] of [...plain(lines), ...login(lines)]) {
    if (NOTHING.test(user) || NOTHING.test(secret)) shapes.add('sent-empty');
    else if (ALTERED.test(user) || ALTERED.test(secret)) shapes.add('sent-altered');
    if (/^[a-z]{16}$/.test(secret.replace(/ /g, ''))) shapes.add('sent-app-password');
    if (user !== '' && !user.includes('@')) shapes.add('sent-bare-user');
  }
  for (const [, encoded = ''] of lines.join('\n').matchAll(/AUTH XOAUTH2[ \n]([\w+/=]{8,})/gi)) {
    const bearer = fromBase64(encoded)
      .split(String.fromCharCode(1))
      .find((part) => part.startsWith('auth=Bearer'));
    if (bearer && NOTHING.test(bearer.slice('auth=Bearer'.length).trim())) shapes.add('sent-empty');
  }
  return shapes;
}

type Pair = readonly [user: string, secret: string];

function* plain(lines: readonly string[]): Generator<Pair> {
  for (const [, encoded = ''] of lines.join('\n').matchAll(/AUTH PLAIN[ \n]([\w+/]{4,}=*)/gi)) {
    const [, user, secret] = fromBase64(encoded).split('\0');
    if (user !== undefined && secret !== undefined) yield [user, secret];
  }
}

function* login(lines: readonly string[]): Generator<Pair> {
  const text = lines.join('\n');
  const found = /334 Username:\S*\n([^\n]*)\n334 Password:\S*\n([^\n]*)/i.exec(text);
  if (!found) return;
  const [user = '', secret = ''] = found.slice(1).map((one) => one.replace(/["'\\].*$/, '').trim());
  if (/^[\w+/]*=*$/.test(user) && /^[\w+/]*=*$/.test(secret)) yield [fromBase64(user), fromBase64(secret)];
}
