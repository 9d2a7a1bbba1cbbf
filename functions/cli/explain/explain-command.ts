import { type Explanation, explain, type Match } from '../../diagnose/explain.ts';
import { FAILURE_CODES, type FailureCode, failureInfo } from '../../mail/model/failure.ts';
import type { Leaf } from '../common/command.ts';
import { readText } from '../common/read-input.ts';

/** What to paste where a text says too little. */
const PASTE = [
  'the whole error, from its first line to its last: Python traceback, stack with `code` and `response`, JSON body',
  'the SMTP dialogue: Django/smtplib `connection.set_debuglevel(1)`, nodemailer `debug: true, logger: true`, PHPMailer `SMTPDebug = 2`, JavaMail `mail.debug=true`',
  'the answer of the token endpoint (`error` and `error_description`)',
  'the text of the consent page, with "Error 400: …" and the request details',
];

const MANY = 3;

/** A failure code of mailgrant, as it stands in an answer, a log line, the ledger or an alert. */
export interface Own {
  readonly code: FailureCode;
  readonly summary: string;
  readonly fix: string;
  readonly retry: string;
}

/** The failure codes in a text that is one, or names one as its `code`: some codes are ordinary English words. */
export function ownIn(text: string): Own[] {
  const words = [text.trim(), ...[...text.matchAll(/\b(?:code|reason)\\?"?\s*[:=]\s*\\?["']?(\w+)/g)].map(([, word]) => word)];
  return FAILURE_CODES.filter((code) => words.includes(code)).map((code) => ({ code, ...told(code) }));
}

const told = (code: FailureCode): Omit<Own, 'code'> => {
  const { summary, fix, retry } = failureInfo(code);
  return { summary, fix, retry };
};

const ownText = ({ code, summary, fix, retry }: Own): string => `${code}: ${summary}\n   Fix: ${fix}\n   Retry: ${retry}`;

/** The answer of `explain` for programs: the matches, best first, and what to paste where there are none. */
export const explainData = (found: Explanation): Explanation & { readonly paste?: readonly string[] } =>
  found.matches.length > 0 ? found : { ...found, paste: PASTE };

/** The answer for people. */
export function explainText({ matches }: Explanation): string {
  const [best] = matches;
  if (!best)
    return ['Nothing in this text is a failure that mailgrant knows. Paste instead:', ...PASTE.map((one) => `  - ${one}`)].join('\n');
  const shown = matches.slice(0, MANY);
  const open = shown.length > 1 && best.confidence < 0.75 ? ' The text alone does not decide between the causes.' : '';
  return [
    `What it says: ${best.said}${open}`,
    ...shown.map((match, index) => causeText(match, index + 1)),
    `How mailgrant avoids it: ${best.avoided}`,
    `Source: ${best.source}`,
  ].join('\n\n');
}

function causeText(match: Match, place: number): string {
  const { cause, likelihood, summary, evidence, because, likely, fix, wait } = match;
  return [
    `${place}. ${cause} (${likelihood}): ${summary}`,
    ...evidence.map((line) => `     in the text: ${line}`),
    ...because.map((one) => `     supports this cause: ${one}`),
    ...likely.map((one, index) => `     ${index === 0 ? 'why: ' : '     '}${one}`),
    ...fix.map((step, index) => `   ${index === 0 ? 'Fix: ' : '     '}${step}`),
    `   When to retry: ${wait}`,
  ].join('\n');
}

/** `explain [FILE]`: a pasted error, from a file or standard input. */
export const EXPLAIN: Leaf = {
  summary: 'explain a pasted email or OAuth error, offline',
  arguments: '[FILE]',
  examples: ['explain error.txt', 'explain < error.txt', 'explain error.txt --json'],
  notes: `FILE holds the error text; without it, or with -, standard input does. Secrets in the text are masked in the answer. Exit code 1 where nothing was recognised.

--json: {"matches": [{"id", "cause", "confidence", "likelihood", "evidence", "fix", "retry"}]}, best first. A code of mailgrant's own, or a line of its log, is explained too: {"matches": [], "codes": [{"code", "summary", "fix", "retry"}]}.`,
  async run(_options, file = '-') {
    const text = readText(file);
    const found = explain(text);
    const codes = ownIn(text);
    if (found.matches.length > 0 || codes.length === 0)
      return { data: explainData(found), text: explainText(found), exitCode: found.matches.length > 0 ? 0 : 1 };
    return { data: { ...found, codes }, text: codes.map(ownText).join('\n\n') };
  },
};
