import Handlebars from 'handlebars/runtime.js';
import { decodeHeader, hasControl } from '../../mail/model/encoded-words.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Mode } from './check-template.ts';
import { hasValue, helpersFor, truncate } from './helpers.ts';
import { loopWithin } from './loop-budget.ts';

/** A text without variables as it is, any other one as the library compiled it. */
export type Spec = string | { readonly compiler: unknown };

type Rendered = ReturnType<typeof Handlebars.template>;

const markup = {
  safe: (html: string) => new Handlebars.SafeString(html),
  escaped: (text: string) => Handlebars.escapeExpression(text),
};

/** Renders templates of one kind, which may use these partials. */
export function renderer(mode: Mode, partials: Readonly<Record<string, Spec>> = {}): (spec: Spec, context: object) => string {
  const helpers = helpersFor(mode, markup);
  const ready: Record<string, Rendered> = {};
  for (const [name, spec] of Object.entries(partials)) ready[name] = prepare(spec);
  return (spec, context) => {
    if (typeof spec === 'string') return spec;
    try {
      return prepare(spec)(context, { ...CLOSED, helpers: { ...helpers, each: loopWithin() }, partials: ready });
    } catch (error) {
      if (error instanceof MailFailure) throw error;
      throw new MailFailure('route_template', error instanceof Error ? error.name : 'error'); // its message might quote the event
    }
  };
}

const PREPARED = new WeakMap<object, Rendered>();

function prepare(spec: Spec): Rendered {
  if (typeof spec === 'string') return () => spec;
  const ready = PREPARED.get(spec) ?? Handlebars.template(spec);
  PREPARED.set(spec, ready);
  return ready;
}

// Only what the event holds itself, never what every object has.
const CLOSED = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };

/**
 * One line of a header. What an event wrote so that readers might decode it (RFC 2047) is written so that none does.
 * Throws MailFailure: route_template.
 */
export function renderLine(spec: Spec, context: Readonly<Record<string, unknown>>): string {
  const whole = inLine(spec, context).trim();
  const text = context['optional'] ? truncate(whole, OPTIONAL_LINE_MAX) : whole;
  if (hasControl(text)) throw new MailFailure('route_template', 'a header has a line break or another control character');
  return decodeHeader(text) === null ? text.replaceAll('=?', '= ?') : text;
}

const inLine = renderer('line');
// A subject of more characters is refused, or a word of it cannot be folded; Gmail shows fewer.
const OPTIONAL_LINE_MAX = 300;

/** Asks for the fields without one of which there is no email. Throws MailFailure: route_template, which names them. */
export function requireOne({ needs }: { readonly needs: readonly string[] }, context: object): void {
  if (needs.length === 0 || needs.some((path) => hasValue(valueAt(context, path)))) return;
  throw new MailFailure('route_template', `the event has none of ${needs.join(', ')}: it is not what this template is for`);
}

const valueAt = (from: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (value, name) => (typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? value[name as never] : undefined),
      from,
    );

/** The addresses that one entry of a route comes to: one, none where it renders to nothing, or those that `list` adds. */
export function renderAddresses(spec: Spec, context: Readonly<Record<string, unknown>>): string[] {
  const listed: string[] = [];
  const text = renderLine(spec, { ...context, listed });
  if (listed.length > 0 && text !== '') throw new MailFailure('route_template', 'list stands alone, with nothing beside it');
  return listed.length > 0 ? listed : text === '' ? [] : [text];
}
