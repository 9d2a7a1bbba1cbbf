import type { Route } from '../mail/model/route.ts';
import { checkCel } from './conditions/check-cel.ts';
import { literal } from './literal.ts';
import { checkTemplate, type Mode, type TemplateText } from './templates/check-template.ts';
import { splitFrontMatter } from './templates/front-matter.ts';

/**
 * A file of the folder of templates, by its path in the folder: `cloud-build.hbs`, `cloud-build.txt.hbs`, `partials/layout.hbs`.
 */
export interface SourceFile {
  readonly path: string;
  /** Its name in problems. */
  readonly file: string;
  readonly text: string;
}

/** The place of a route's setting in the configuration file; null where it is not known. */
export type Locate = (route: string, ...setting: (string | number)[]) => { readonly file: string; readonly line: number };

const ROOTS = new Set(['event', 'attributes', 'route', 'digest']);

/**
 * Compiles routes and templates into the text of a JavaScript module that exports `compiled`. The module contains only what the
 * routes use, but every file is checked. Returns every problem, each as `file:line: reason`.
 */
export function compileRoutes(
  routes: readonly Route[],
  files: readonly SourceFile[],
  locate: Locate,
  { all = false } = {},
): { module: string; problems: readonly string[] } {
  const problems: string[] = [];
  const partials = { html: partialsOf(files, 'html', problems), text: partialsOf(files, 'text', problems) };
  // A partial with a problem exists all the same: its users are not reported as naming an unknown partial.
  const names = { html: partialNames(files, 'html'), text: partialNames(files, 'text'), line: new Set<string>() };
  const code = (text: TemplateText): Code => {
    if (!text.text.includes('{{') && !text.text.includes('\\')) return { code: literal(text.text), partials: [] };
    const checked = checkTemplate(text, { roots: ROOTS, partials: names[text.mode] });
    if ('compiled' in checked) return checked.compiled;
    problems.push(...checked.problems);
    return { code: '""', partials: [] };
  };

  const templates = templatesOf(files, code, problems);
  const used = new Set<string>(all ? templates.keys() : []);
  const compiled = routes.map((route) => {
    const field = (name: string, text: string, ...at: (string | number)[]): string =>
      code({ ...locate(route.name, name, ...at), text, mode: 'line' }).code;
    const list = (name: string, texts: readonly string[]): string => `[${texts.map((text, index) => field(name, text, index)).join(',')}]`;
    const cel = (name: 'when' | 'dedupe', source: string | null): string => {
      if (source === null) return 'null';
      const checked = checkCel(name, source);
      if ('expression' in checked) return literal(checked.expression);
      const { file, line } = locate(route.name, name);
      const { problem } = checked;
      problems.push(
        `${file}:${line}: routes.${route.name}.${name}: ${problem.reason} (at ${problem.line}:${problem.column} of the expression)`,
      );
      return 'null';
    };
    for (const [setting, name] of Object.entries({ template: route.template, ...(route.everyMs !== null && { digest: route.digest }) })) {
      used.add(name);
      const { file, line } = locate(route.name, setting);
      if (!templates.has(name))
        problems.push(
          `${file}:${line}: routes.${route.name}.${setting}: there is no template "${name}"; there are ${[...templates.keys()].join(', ') || 'none'}`,
        );
    }
    // Events over the limits go into a digest, which is a plain one if the route has no template for it.
    if (route.limits && templates.has(route.digest)) used.add(route.digest);
    const headers = Object.entries(route.headers).map(([name, text]) => `${literal(name)}:${field('headers', text, name)}`);
    return `${literal(route.name)}:{name:${literal(route.name)},from:${literal(route.from)},only:${literal(route.only)},everyMs:${literal(route.everyMs)},
when:${cel('when', route.when)},dedupe:${cel('dedupe', route.dedupe)},
to:${list('to', route.to)},cc:${list('cc', route.cc)},bcc:${list('bcc', route.bcc)},replyTo:${list('reply_to', route.replyTo)},
subject:${route.subject === null ? 'null' : field('subject', route.subject)},headers:{${headers.join(',')}},
template:${literal(route.template)},digest:${literal(route.digest)}${route.limits ? `,limits:${literal(route.limits)}` : ''}}`;
  });

  const needed = { html: closure(templates, used, partials.html, 'html'), text: closure(templates, used, partials.text, 'text') };
  const object = (entries: readonly (readonly [string, string])[]): string =>
    `{${entries.map(([name, text]) => `${literal(name)}:${text}`).join(',\n')}}`;
  const module = `export const compiled={routes:{${compiled.join(',\n')}},
templates:${object([...templates].filter(([name]) => used.has(name)).map(([name, { subject, html, text, optional, needs }]) => [name, `{subject:${subject.code},html:${html.code},text:${text?.code ?? null},optional:${optional},needs:${literal(needs)}}`]))},
partials:{html:${object(needed.html)},text:${object(needed.text)}}};
`;
  return { module, problems };
}

interface Code {
  readonly code: string;
  readonly partials: readonly string[];
}
interface Template {
  readonly subject: Code;
  readonly html: Code;
  readonly text: Code | null;
  readonly optional: boolean;
  readonly needs: readonly string[];
}

const PATH = /^(event|attributes)(\.[\w-]+)+$/;
const NAME = /^[a-z0-9][a-z0-9-]{0,59}$/;
const modeOf = (path: string): 'html' | 'text' => (path.endsWith('.txt.hbs') ? 'text' : 'html');
const nameOf = (path: string): string => path.replace(/^partials\//, '').replace(/(\.txt)?\.hbs$/, '');

function templatesOf(files: readonly SourceFile[], code: (text: TemplateText) => Code, problems: string[]): Map<string, Template> {
  const own = files.filter(({ path }) => !path.startsWith('partials/'));
  const texts = new Map(own.filter(({ path }) => modeOf(path) === 'text').map((file) => [nameOf(file.path), file]));
  const templates = new Map<string, Template>();
  for (const { path, file, text } of own) {
    const name = nameOf(path);
    if (!NAME.test(name)) problems.push(`${file}:1: a template is called by lower-case letters, digits and "-"`);
    if (modeOf(path) === 'text') continue;
    const { fields, body, bodyLine, problems: wrong } = splitFrontMatter(text, ['subject'], ['fields', 'needs']);
    problems.push(...wrong.map(({ line, reason }) => `${file}:${line}: ${reason}`));
    const { subject, fields: missing, needs } = fields;
    const paths = needs?.text.split(/\s*,\s*/) ?? [];
    if (missing && missing.text !== 'optional')
      problems.push(`${file}:${missing.line}: fields: expected "optional", or leave the line out: then a missing field is an error`);
    if (needs && !paths.every((path) => PATH.test(path)))
      problems.push(`${file}:${needs.line}: needs: expected fields such as event.status, with a comma between them`);
    const plain = texts.get(name);
    texts.delete(name);
    templates.set(name, {
      subject: code({ file, text: subject?.text ?? '', line: subject?.line ?? 1, mode: 'line' }),
      html: code({ file, text: body, line: bodyLine, mode: 'html' }),
      text: plain ? code({ file: plain.file, text: plain.text, line: 1, mode: 'text' }) : null,
      optional: missing?.text === 'optional',
      needs: paths,
    });
  }
  for (const { file, path } of texts.values()) problems.push(`${file}:1: there is no ${nameOf(path)}.hbs that it is the text of`);
  return templates;
}

type Part = Extract<Mode, 'html' | 'text'>;
const partialFiles = (files: readonly SourceFile[], mode: Part) =>
  files.filter(({ path }) => path.startsWith('partials/') && modeOf(path) === mode);
const partialNames = (files: readonly SourceFile[], mode: Part) => new Set(partialFiles(files, mode).map(({ path }) => nameOf(path)));

function partialsOf(files: readonly SourceFile[], mode: Part, problems: string[]): Map<string, Code> {
  const own = partialFiles(files, mode);
  const names = partialNames(files, mode);
  const compiled = new Map<string, Code>();
  for (const { file, path, text } of own) {
    const checked = checkTemplate({ file, text, line: 1, mode }, { roots: null, partials: names });
    if ('problems' in checked) problems.push(...checked.problems);
    else compiled.set(nameOf(path), checked.compiled);
  }
  for (const { file, path } of own)
    if (reach(compiled, compiled.get(nameOf(path))?.partials ?? []).has(nameOf(path))) problems.push(`${file}:1: the partial uses itself`);
  return compiled;
}

/** Every partial that these partials use, directly or indirectly. */
function reach(partials: ReadonlyMap<string, Code>, from: readonly string[]): Set<string> {
  const found = new Set(from);
  for (const name of found) for (const next of partials.get(name)?.partials ?? []) found.add(next); // iterating over a set includes what is added meanwhile
  return found;
}

function closure(
  templates: ReadonlyMap<string, Template>,
  used: ReadonlySet<string>,
  partials: ReadonlyMap<string, Code>,
  mode: 'html' | 'text',
): [string, string][] {
  const from = [...used].flatMap((name) => templates.get(name)?.[mode]?.partials ?? []);
  const reached = reach(partials, from);
  return [...partials].filter(([name]) => reached.has(name)).map(([name, { code }]) => [name, code]);
}
