import { MailFailure } from '../mail/model/failure.ts';
import type { Compiled, CompiledRoute, CompiledTemplate } from './compiled.ts';
import type { NotifyEvent } from './conditions/event.ts';
import { renderAddresses, renderer, renderLine, requireOne } from './templates/render.ts';

/** Facts about the events that were held back; times are milliseconds since the epoch. */
export interface DigestFacts {
  readonly count: number;
  readonly first: number;
  readonly last: number;
  readonly from: number;
  readonly until: number;
  /** The subject that one of their emails would have had; '' where it is not known. */
  readonly sample: string;
}

/** Decides whether the route wants an event: null if not. Throws MailFailure: route_condition, route_template. */
export async function evaluateRoute(route: CompiledRoute, event: NotifyEvent): Promise<RouteMatch | null> {
  const { when, dedupe } = route;
  if (!when && !dedupe) return { dedupe: null };
  const { meets, valueText: textOf } = await import('./conditions/evaluate.ts'); // loaded on demand: the evaluator is larger than everything else here
  if (when && !meets(when, event)) return null;
  return { dedupe: dedupe && textOf(dedupe, event) };
}

/** An event that the route wants. */
export interface RouteMatch {
  readonly dedupe: string | null;
}

/** The email of an event, in the form of `POST /emails`. Throws MailFailure: route_template. */
export function mailOf(
  { templates, partials }: Compiled,
  route: CompiledRoute,
  event: NotifyEvent,
  digest?: DigestFacts,
): Record<string, unknown> {
  const named = digest ? route.digest : route.template;
  const words = Object.hasOwn(templates, named) ? templates[named] : digest && plainDigest(digest, route.name);
  if (!words) throw new MailFailure('unexpected', `route ${route.name}: its template is not in the build`);
  const strict = {
    event: event.data,
    attributes: event.attributes,
    route: { name: route.name, everySeconds: (route.everyMs ?? 0) / 1_000 },
    ...(digest && { digest }),
  };
  requireOne(words, strict);
  // The operator writes the recipients, headers and subject of a route: only the template declares its fields optional.
  const context = { ...strict, optional: words.optional };
  const people = (specs: CompiledRoute['to']): string[] => specs.flatMap((spec) => renderAddresses(spec, strict));
  const { address, name } = route.from;
  return {
    from: name === '' ? address : `${name} <${address}>`,
    to: people(route.to),
    cc: people(route.cc),
    bcc: people(route.bcc),
    reply_to: people(route.replyTo),
    subject: route.subject !== null && !digest ? renderLine(route.subject, strict) : renderLine(words.subject, context),
    html: rendererOf('html', partials.html)(words.html, context),
    ...(words.text && { text: rendererOf('text', partials.text)(words.text, context) }),
    headers: Object.fromEntries(Object.entries(route.headers).map(([header, spec]) => [header, renderLine(spec, strict)])),
  };
}

/** The text of a digest whose route was removed or no longer has `every`: the build then has no template for it. */
function plainDigest({ count, first, last, sample }: DigestFacts, route: string): CompiledTemplate {
  const [from, to] = [first, last].map((ms) => new Date(ms).toISOString());
  const text = `After the first email ${count} more events of route ${route} came, the first at ${from}, the last at ${to}.${sample === '' ? '' : `\nFor example: ${sample}`}\n`;
  return { subject: `${count} more: ${sample || route}`, html: '', text, optional: true, needs: [] };
}

type Render = ReturnType<typeof renderer>;
/** Renderers of the partials in the build: made once, because partials never change. */
const RENDERERS = new WeakMap<object, Render>();

function rendererOf(mode: 'html' | 'text', partials: Compiled['partials']['html']): Render {
  const render = RENDERERS.get(partials) ?? renderer(mode, partials);
  RENDERERS.set(partials, render);
  return render;
}
