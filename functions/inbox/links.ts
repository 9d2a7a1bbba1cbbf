import { request } from 'node:http';
import { Parser } from 'htmlparser2';
import type { ParsedEmail } from './parse-email.ts';

/** The attribute of each element that holds a URL. */
const LEADING: Readonly<Record<string, string>> = { a: 'href', area: 'href', img: 'src', link: 'href' };

/** Every http(s) link of an email, in order and once: of its html, then of its text. */
export function linksIn({ html, text }: Pick<ParsedEmail, 'html' | 'text'>): string[] {
  const found = new Set<string>();
  const parser = new Parser({
    onopentag(name, attributes) {
      const link = (attributes[LEADING[name] ?? ''] ?? '').trim();
      if (/^https?:\/\//i.test(link)) found.add(link);
    },
  });
  parser.end(html);
  for (const [link] of text.matchAll(/\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]]/gi)) found.add(link);
  return [...found];
}

export interface CheckedLink {
  readonly URL: string;
  /** 0 where no request was made, or no answer came. */
  readonly StatusCode: number;
  readonly Status: string;
}

const TIMEOUT_MS = 5_000;

/** Requests each link to this machine, by HEAD. Other links are not requested: nothing leaves this machine. */
export function checkLinks(links: readonly string[]): Promise<CheckedLink[]> {
  return Promise.all(
    links.map((link) => (isLocal(link) ? ask(link) : { URL: link, StatusCode: 0, Status: 'not asked: nothing leaves this machine' })),
  );
}

function isLocal(link: string): boolean {
  if (!URL.canParse(link)) return false;
  const { protocol, hostname } = new URL(link);
  return protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
}

function ask(link: string): Promise<CheckedLink> {
  return new Promise((done) => {
    const asked = request(link, { method: 'HEAD', timeout: TIMEOUT_MS }, (reply) => {
      reply.resume();
      done({ URL: link, StatusCode: reply.statusCode ?? 0, Status: reply.statusMessage ?? '' });
    });
    asked.once('timeout', () => asked.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    asked.once('error', ({ code }: NodeJS.ErrnoException) => done({ URL: link, StatusCode: 0, Status: code ?? 'no answer' })).end();
  });
}
