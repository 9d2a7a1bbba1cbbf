/** What happens to an error text between the program that printed it and the person who pastes it. */

const GREETING = [
  '220 smtp.gmail.com ESMTP a1-20020a05.11 - gsmtp',
  'EHLO app.example.com',
  '250-smtp.gmail.com at your service, [203.0.113.7]',
  '250-SIZE 35882577',
  '250-8BITMIME',
  '250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH',
  '250-ENHANCEDSTATUSCODES',
  '250-PIPELINING',
  '250-CHUNKING',
  '250 SMTPUTF8',
].join('\n');

const NOISE_BEFORE = [
  'Starting worker pool with 4 processes',
  'GET /health 200 3ms',
  'Connected to postgres at db:5432',
  'Cache warmed in 812 ms',
].join('\n');
const NOISE_AFTER = [
  'Retrying job 8812 (attempt 2 of 5)',
  'GET /orders/7 200 41ms',
  'Job 8812 moved to the dead set',
  'Worker 3 idle',
].join('\n');

/** Breaks lines as a mail client or an issue form does: at blanks where it can, in a word where it must. */
function wrap(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const lines: string[] = [];
      let rest = line;
      while (rest.length > width) {
        const blank = rest.lastIndexOf(' ', width);
        const at = blank > width / 2 ? blank : width;
        lines.push(rest.slice(0, at));
        rest = rest.slice(at).replace(/^ /, '');
      }
      return [...lines, rest];
    })
    .join('\n');
}

/** The middle line of the error is kept: what is cut is the head of a long log, not its point. */
const withoutHead = (text: string): string => {
  const lines = text.split('\n');
  return lines.length < 4 ? text.slice(Math.floor(text.length / 8)) : lines.slice(Math.floor(lines.length / 4)).join('\n');
};
const withoutTail = (text: string): string => {
  const lines = text.split('\n');
  return lines.length < 4
    ? text.slice(0, Math.ceil((text.length * 9) / 10))
    : lines.slice(0, Math.ceil((lines.length * 9) / 10)).join('\n');
};

const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll('`', '&#96;');

export const DEFORMATIONS: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'greeting in front': (text) => `${GREETING}\n${text}`,
  'wrapped at 80': (text) => wrap(text, 80),
  'cut at 80': (text) =>
    text
      .split('\n')
      .flatMap((line) => line.match(/.{1,80}/g) ?? [''])
      .join('\n'),
  'lower case': (text) => text.toLowerCase(),
  'JSON once': (text) => JSON.stringify({ severity: 'ERROR', message: text }),
  'JSON twice': (text) => JSON.stringify({ log: JSON.stringify({ level: 'error', msg: text }) }),
  'log prefixes': (text) =>
    text
      .split('\n')
      .map((line, n) => `2026-11-28T10:15:${String(n % 60).padStart(2, '0')}.123Z app-7f9c web-1  | [ERROR] ${line}`)
      .join('\n'),
  ANSI: (text) =>
    text
      .split('\n')
      .map((line) => `\u001b[31m${line}\u001b[0m`)
      .join('\n'),
  HTML: (text) => `<pre><code>${escapeHtml(text)}</code></pre>`,
  'head cut off': withoutHead,
  'tail cut off': withoutTail,
  'noise around': (text) => `${NOISE_BEFORE}\n${text}\n${NOISE_AFTER}`,
  'another error before': (text) =>
    `Error: connect ECONNREFUSED 127.0.0.1:6379\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1637:16)\n${text}`,
  CRLF: (text) => text.replaceAll('\n', '\r\n'),
};
