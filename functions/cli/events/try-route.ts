import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { compileConfig } from '../../config/compile-config.ts';
import { parseRequest } from '../../mail/message/email.ts';
import { authorise } from '../../mail/message/permissions.ts';
import { htmlToText } from '../../mail/mime/html-to-text.ts';
import type { Compiled } from '../../notify/compiled.ts';
import type { NotifyEvent } from '../../notify/conditions/event.ts';
import { type DigestFacts, evaluateRoute, mailOf } from '../../notify/event-email.ts';
import { callerFor, routeNamed } from '../../notify/handle-event.ts';
import type { CommandOptions, OptionTable } from '../common/command.ts';
import { packageFile } from '../common/package-files.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';

/** What a route does with an event; nothing is sent. */
export interface Tried {
  readonly route: string;
  /** True if the route wants the event. */
  readonly match: boolean;
  /** The value of `dedupe`; null if the route has none or does not match. */
  readonly dedupe: string | null;
  /** The email as the worker would accept it, including `text`; null if there is none. */
  readonly mail: Mail | null;
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly reply_to: readonly string[];
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The headers of an email for people; empty ones are left out. */
export const emailHeadOf = ({ from, to, cc, bcc, reply_to, subject, headers }: Mail): (readonly [string, string])[] => {
  const rows: (readonly [string, string])[] = [
    ['From', from],
    ['To', to.join(', ')],
    ['Cc', cc.join(', ')],
    ['Bcc', bcc.join(', ')],
    ['Reply-To', reply_to.join(', ')],
    ['Subject', subject],
    ...Object.entries(headers),
  ];
  return rows.filter(([, value]) => value !== '');
};

/** The options of the two commands that test an event. */
export const EVENT_OPTIONS: OptionTable = {
  event: { value: 'FILE', about: 'the event: its JSON or text, or a push envelope around it' },
  attribute: {
    value: 'NAME=VALUE',
    many: true,
    about: 'an attribute of the message, or a header of the webhook in lower case (repeat it)',
  },
};

/**
 * Runs an event through a route of the config as the functions would, up to sending. `always` renders the email even if the
 * route does not match. Throws ConfigProblems, and MailFailure as the functions would.
 */
export async function tryRoute(
  name: string,
  options: CommandOptions,
  { always = false, digest = null as DigestFacts | null } = {},
): Promise<Tried> {
  const file = configFile(options);
  const compiled = await load(compileConfig(file).module);
  if (!Object.hasOwn(compiled.routes, name))
    throw new CommandError('route_missing', `${file} has no route ${name}; it has ${Object.keys(compiled.routes).join(', ') || 'none'}`);
  const route = routeNamed(name, compiled);
  const event = readEvent(options);
  const wanted = await evaluateRoute(route, event);
  const tried = { route: name, match: wanted !== null, dedupe: wanted?.dedupe ?? null };
  if (!wanted && !always) return { ...tried, mail: null };
  const mail = mailOf(compiled, route, event, digest ?? undefined) as unknown as Omit<Mail, 'text'> & { readonly text?: string };
  authorise(callerFor(route), parseRequest(mail));
  return { ...tried, mail: { ...mail, text: mail.text ?? htmlToText(mail.html) } };
}

async function load(module: string): Promise<Compiled> {
  const { compiled } = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as { compiled: Compiled };
  return compiled;
}

function readEvent({ event: file, attribute = [] }: CommandOptions): NotifyEvent {
  if (file === undefined)
    throw new CommandError(
      'option_invalid',
      `--event is missing; name a file with an event, such as ${relative('', packageFile('config/samples/cloud-build.json'))}`,
    );
  const { data, attributes } = unwrapped(jsonOrText(readEventFile(String(file))));
  const given = [attribute].flat().map((one) => /^([^=]+)=(.*)$/s.exec(String(one))?.slice(1) as [string, string] | undefined);
  if (given.includes(undefined)) throw new CommandError('option_invalid', '--attribute: expected name=value');
  return { data, attributes: { ...attributes, ...Object.fromEntries(given.filter((one) => one !== undefined)) } };
}

/** The fix of a failure that the test command's options cause; null if the route or the event causes it. */
export function hintOf({ event: file, attribute }: CommandOptions, message: string): string | null {
  const text = readEventFile(String(file));
  if (/^\s*[{[]/.test(text) && typeof jsonOrText(text) === 'string')
    return `${file} is no JSON, so the event is its text: ${jsonProblem(text)}`;
  const name = /\(attributes(?:\.([\w-]+)|\["([^"\\]+)"\])\)/.exec(message)?.slice(1).find(Boolean);
  return name && attribute === undefined ? `Give it as the message or the webhook has it: --attribute ${name}=VALUE` : null;
}

function jsonProblem(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    return (error as Error).message;
  }
}

function readEventFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError('input_unreadable', `--event: ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
}

/** The event in a push envelope; the value itself if it is no envelope. */
function unwrapped(value: unknown): NotifyEvent {
  const { message } = (typeof value === 'object' && value !== null ? value : {}) as { message?: { data?: unknown; attributes?: object } };
  if (typeof message?.data !== 'string') return { data: value, attributes: {} };
  const text = Buffer.from(message.data, 'base64').toString('utf8');
  return { data: jsonOrText(text), attributes: { ...message.attributes } as Record<string, string> };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
