import { randomUUID } from 'node:crypto';
import type { CommandAnswer, CommandOptions, Leaf } from '../common/command.ts';
import { createIamHeader, noIamHeader } from '../common/iam-token.ts';
import { CommandError } from '../common/refusal.ts';
import { targetKey, targetUrl } from '../common/target.ts';
import { progressLine } from '../common/terminal.ts';
import { type EncodedEmail, encodeEmail, post, type Sent } from './send-email.ts';

/** `send`: sends one email from the terminal, through a running or deployed function. */
export const SEND: Leaf = {
  summary: 'send one email through a running or deployed function',
  options: {
    from: { value: 'ADDRESS', about: 'an address that the key may send from' },
    to: { value: 'ADDRESS', many: true, about: 'a recipient (repeat it, or write commas)' },
    cc: { value: 'ADDRESS', many: true, about: 'who gets a copy' },
    bcc: { value: 'ADDRESS', many: true, about: 'who gets a copy that nobody sees' },
    subject: { value: 'TEXT', about: 'the subject' },
    text: { value: 'TEXT', about: 'the text' },
    html: { value: 'FILE', about: 'a file with HTML, in place of the text or beside it' },
    attach: { value: 'FILE', many: true, about: 'a file to attach (repeat it)' },
    url: { value: 'URL', about: 'the function api (MAILGRANT_URL, or the one of npx mailgrant dev)' },
    'key-file': { value: 'FILE', about: 'file with the API key (MAILGRANT_KEY, or the one of npx mailgrant dev)' },
    iam: { about: "the function is behind Google IAM: who you are for Google is shown to it too, and may stand in a key's place" },
    'idempotency-key': { value: 'KEY', about: 'the same key never sends twice within 24 hours (one is made up and shown)' },
    'dry-run': { about: 'read the files, send nothing' },
  },
  examples: [
    'send --from notices@example.com --to you@example.net --subject Hello --text "It works."',
    'send --from notices@example.com --to you@example.net --subject Invoice --html invoice.html --attach invoice.pdf',
  ],
  notes: 'Exit code: 0 sent, 1 refused, 75 not now or not known: try again with the same --idempotency-key.',
  async run(options) {
    const missing = ['from', 'to', 'subject'].filter((name) => options[name] === undefined);
    if (options['text'] === undefined && options['html'] === undefined) missing.push('text');
    if (missing.length > 0) throw new CommandError('option_invalid', `missing ${missing.map((name) => `--${name}`).join(', ')}`);
    const url = targetUrl(text(options, 'url') ?? undefined, process.env);
    const to = addresses(options['to']);
    const email = encodeEmail({
      from: String(options['from']),
      to,
      cc: addresses(options['cc']),
      bcc: addresses(options['bcc']),
      subject: String(options['subject']),
      text: text(options, 'text'),
      html: text(options, 'html'),
      attach: [options['attach'] ?? []].flat().map(String),
    });
    if (options['dry-run']) return wouldSend(email, url, to);
    const iam = options['iam'] === true;
    const key = targetKey(text(options, 'key-file') ?? undefined, url, process.env, iam);
    const pass = iam ? createIamHeader(url) : noIamHeader;
    const idempotencyKey = text(options, 'idempotency-key') ?? `cli/${randomUUID()}`;
    const progress = shownProgress(email.body.length, options);
    const sent = await post(email, { url, key, pass, idempotencyKey, onProgress: progress.reach }).finally(progress.end);
    const data = { ...sent, idempotencyKey };
    if (sent.ok) return { data, text: report(sent, idempotencyKey) };
    const error = { code: sent.code ?? 'not_sent', message: sent.message ?? `status ${sent.status}`, fix: sent.fix };
    return { data, text: report(sent, idempotencyKey), exitCode: sent.again ? 75 : 1, error };
  },
};

function wouldSend({ body, files }: EncodedEmail, url: string, to: readonly string[]): CommandAnswer {
  const lines = files.map(({ name, bytes }) => `  ${name}  ${megabytes(bytes)}`);
  const summary = `Would post ${megabytes(body.length)} to ${url}/emails, for ${to.join(', ')}; nothing was sent.`;
  return { data: { url, to, bytes: body.length, files }, text: [summary, ...lines].join('\n') };
}

function report({ ok, again, id, code, message, fix }: Sent, idempotencyKey: string): string {
  if (ok) return `Sent. The id is ${id}`;
  const lines = [`Not sent${again ? ', or not known' : ''}: ${message}${code ? ` (${code})` : ''}`];
  if (fix && !message?.includes(fix)) lines.push(`Fix: ${fix}`);
  if (id) lines.push(`The id is ${id}`);
  if (again) lines.push(`Try again with --idempotency-key ${idempotencyKey}`);
  return lines.join('\n');
}

const BIG_BYTES = 1_000_000;

/** Shows how much of a big body is posted, where a person watches. */
function shownProgress(total: number, options: CommandOptions): { reach(sent: number): void; end(): void } {
  const line = total < BIG_BYTES ? null : progressLine(options);
  return {
    reach: (sent) => line?.show(`${megabytes(sent)} of ${megabytes(total)}`),
    end: () => line?.end(),
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(bytes < BIG_BYTES ? 3 : 1)} MB`;

const text = (options: CommandOptions, name: string): string | null => (options[name] === undefined ? null : String(options[name]));

/** Commas separate addresses, except within quotes or angle brackets. */
const addresses = (value: CommandOptions[string]): string[] =>
  [value ?? []]
    .flat()
    .flatMap((one) => String(one).match(/(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,])+/g) ?? [])
    .map((one) => one.trim())
    .filter(Boolean);
