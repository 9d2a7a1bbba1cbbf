import Handlebars from 'handlebars';
import { BLOCK, BLOCKS, FORMS, HELPERS, LENIENT, QUESTIONS } from './helper-names.ts';
import { contextAfter, type HtmlContext, PAGE, valueProblem } from './html-context.ts';
import { callProblem, syntaxProblem } from './template-problems.ts';

type Node = hbs.AST.Node;
type Path = hbs.AST.PathExpression;
type Call = hbs.AST.MustacheStatement | hbs.AST.SubExpression | hbs.AST.BlockStatement;

/**
 * The kind of text that the template makes: a page, where values are escaped; plain text; or one line of a header, where a value
 * with a line break is refused.
 */
export type Mode = 'html' | 'text' | 'line';

export interface TemplateText {
  /** Its name in problems. */
  readonly file: string;
  readonly text: string;
  /** The line of the file on which the text begins. */
  readonly line: number;
  readonly mode: Mode;
}

export interface TemplateSurroundings {
  /** Variables that exist; null for a partial, which gets its own. */
  readonly roots: ReadonlySet<string> | null;
  readonly partials: ReadonlySet<string>;
}

export interface CheckedTemplate {
  /** JavaScript: the library's precompiled form. */
  readonly code: string;
  readonly partials: readonly string[];
}

/**
 * Compiles a template so that a missing value is an error that names it: `show` or `need` reads each value, and each call carries
 * its place. Returns every problem, as `file:line: reason`.
 */
export function checkTemplate(
  { file, text, line, mode }: TemplateText,
  { roots, partials }: TemplateSurroundings,
): { compiled: CheckedTemplate } | { problems: string[] } {
  const problems: string[] = [];
  const used = new Set<string>();
  const place = ({ loc }: Node): string => `${file}:${loc.start.line + line - 1}`;
  const problem = (node: Node, reason: string): void => void problems.push(`${place(node)}: ${reason}`);

  let program: hbs.AST.Program;
  try {
    program = Handlebars.parse(text);
  } catch (error) {
    return { problems: [syntaxProblem(error as Error, file, line)] };
  }

  /** Names that a path may begin with; null where the block has changed the current value. */
  type Scope = { readonly names: ReadonlySet<string> | null; readonly params: ReadonlySet<string> };

  const checkPath = (path: Path, { names, params }: Scope): void => {
    const [first] = path.parts;
    if (path.data) {
      if (!DATA.has(first ?? '')) problem(path, `"${path.original}" is unknown`);
      return;
    }
    if (path.depth > 0 || /^(this|\.)([./]|$)/.test(path.original) || first === undefined || params.has(first)) return;
    if (names && !names.has(first)) {
      const field = names.has('event') && path.parts.length === 1 ? `; a field of the event is event.${first}` : '';
      problem(path, `"${path.original}" is unknown; there are ${[...names].join(', ')}${field}`);
    }
  };

  /** A parameter. A path must exist, unless the helper tests whether it is missing. */
  const parameter = (value: hbs.AST.Expression, scope: Scope, lenient: boolean): hbs.AST.Expression => {
    if (value.type === 'SubExpression') {
      call(value as hbs.AST.SubExpression, scope);
      return value;
    }
    if (value.type !== 'PathExpression') return value;
    const path = value as Path;
    checkPath(path, scope);
    return lenient || path.original === '.' || path.original === 'this' ? path : ask('need', path, path);
  };

  const ask = (helper: 'need' | 'show', path: Path, at: Node): hbs.AST.SubExpression =>
    ({
      type: 'SubExpression',
      path: pathTo(helper, at),
      params: [path, text_(path.original, at)],
      hash: placed(at),
      loc: at.loc,
    }) as hbs.AST.SubExpression;

  const placed = (at: Node): hbs.AST.Hash => ({ type: 'Hash', pairs: [pair('at', text_(place(at), at), at)], loc: at.loc });

  const call = (node: Call, scope: Scope, helpers: ReadonlySet<string> = HELPERS): void => {
    const name = node.path.type === 'PathExpression' ? (node.path as Path).original : '';
    if (!helpers.has(name))
      problem(
        node,
        `there is no ${helpers === BLOCKS ? `block "#${name}"` : `helper "${name}"`}; there are ${[...helpers].sort().join(', ')}`,
      );
    const form = helpers === BLOCKS ? BLOCK : FORMS.get(name);
    const wrong = form && helpers.has(name) && callProblem(name, node.params, node.hash?.pairs ?? [], form);
    if (wrong) problem(node, wrong);
    const asked = name === 'default' ? [pair('of', text_(node.params.map(nameOf).join(', '), node), node)] : [];
    node.params = node.params.map((one) => parameter(one, scope, LENIENT.has(name)));
    const pairs = (node.hash?.pairs ?? []).map((one) => ({ ...one, value: parameter(one.value, scope, false) }));
    node.hash = { type: 'Hash', pairs: [...pairs, ...asked, pair('at', text_(place(node), node), node)], loc: node.loc };
  };

  const statement = (node: hbs.AST.Statement, scope: Scope, before: Before): hbs.AST.Statement => {
    switch (node.type) {
      case 'MustacheStatement': {
        const mustache = node as hbs.AST.MustacheStatement;
        if (!mustache.escaped && mode === 'html') problem(node, 'three braces and & put text into the page as it is; use two');
        const name = (mustache.path as Path).original;
        if (mode === 'html') checkAttribute(node, before, name);
        if (mustache.params.length > 0 || mustache.hash || HELPERS.has(String(name))) {
          call(mustache, scope);
          if (QUESTIONS.has(name)) problem(node, `"${name}" asks a question: it stands in {{#if (${name} …)}}`);
          // The result of a helper is checked like a value: `default` may have found nothing.
          const { path, params, hash, loc } = mustache;
          const answer: hbs.AST.SubExpression = { type: 'SubExpression', path: path as Path, params, hash, loc };
          return {
            ...mustache,
            path: pathTo('show', node),
            params: [answer, text_(name, node)],
            hash: placed(node),
          } as hbs.AST.MustacheStatement;
        }
        if (mustache.path.type !== 'PathExpression') problem(node, `"${name}" is no name`);
        else checkPath(mustache.path as Path, scope);
        const shown = ask('show', mustache.path as Path, node);
        return { ...mustache, path: shown.path, params: shown.params, hash: shown.hash } as hbs.AST.MustacheStatement;
      }
      case 'BlockStatement': {
        const block = node as hbs.AST.BlockStatement;
        call(block, scope, BLOCKS);
        const shifts = block.path.original === 'each' || block.path.original === 'with';
        const params = new Set([...scope.params, ...(block.program?.blockParams ?? [])]);
        const ends = [
          body(block.program, shifts ? { names: null, params } : { ...scope, params }, before),
          body(block.inverse, scope, before),
        ];
        const open = ends.find(({ context }) => context.mode === 'raw');
        if (open) blocks.set(block, open);
        return block;
      }
      case 'PartialStatement':
      case 'PartialBlockStatement': {
        const partial = node as hbs.AST.PartialBlockStatement;
        if (mode === 'html') checkAttribute(node, before, null);
        const name = (partial.name as Path).original;
        if (name !== '@partial-block') {
          if (partial.name.type !== 'PathExpression' || !partials.has(name))
            problem(node, `there is no partial "${name ?? '(…)'}"; there are ${[...partials].join(', ') || 'none'}`);
          used.add(name);
        }
        if (partial.params.length > 0) problem(node, 'a partial takes name=value, no value of its own');
        for (const one of partial.hash?.pairs ?? []) one.value = parameter(one.value, scope, false);
        body(partial.program, scope);
        return partial;
      }
      case 'Decorator':
      case 'DecoratorBlock':
        problem(node, 'decorators and inline partials are not served; make a file in partials/');
        return node;
      default:
        return node;
    }
  };

  /** The context after a block, if the block opened an element that only its own end tag closes. */
  const blocks = new Map<hbs.AST.Statement, Before>();

  const checkAttribute = (node: Node, { text: before, context }: Before, name: unknown): void => {
    const reason = valueProblem(context);
    if (reason) problem(node, reason);
    if (context.mode === 'before value' || (context.mode === 'value' && context.quote === ''))
      problem(node, 'put quotes around the value of an attribute');
    if (ADDRESS.test(before) && name !== 'url')
      problem(node, 'an address in an attribute goes through {{url …}}, which lets only https, http and mailto pass');
  };

  /** `before` is the text in front, as far as it is known: a block may render nothing. */
  const body = (part: hbs.AST.Program | null | undefined, scope: Scope, given: Before = BEGINNING): Before => {
    if (!part) return given;
    let before = given;
    part.body = part.body.map((node) => {
      const done = statement(node, scope, before);
      if (node.type === 'ContentStatement') before = behind(before, (node as hbs.AST.ContentStatement).value);
      // A value that is a whole URL is checked as a constant URL is; nothing is known of other values.
      const { original } = ('path' in node ? node.path : {}) as { original?: unknown };
      if (node.type === 'MustacheStatement') before = behind(before, original === 'url' ? 'https://x' : 'x');
      // A block may render nothing, but a script that it opened counts as opened.
      if (node.type === 'BlockStatement') before = blocks.get(node) ?? before;
      return done;
    });
    return before;
  };

  body(program, { names: roots, params: new Set() });
  if (problems.length > 0) return { problems };
  const known = Object.fromEntries([...HELPERS, ...BLOCKS, 'need', 'show'].map((name) => [name, true]));
  const code = Handlebars.precompile(program, {
    knownHelpers: known,
    knownHelpersOnly: true,
    noEscape: mode !== 'html',
    preventIndent: true,
  });
  return { compiled: { code: String(code), partials: [...used] } };
}

const BEFORE_MAX = 2_000; // enough for a tag

/** The text in front of a statement, as far as it is known. */
interface Before {
  readonly text: string;
  readonly context: HtmlContext;
}
const BEGINNING: Before = { text: '', context: PAGE };
const behind = ({ text, context }: Before, more: string): Before => ({
  text: `${text}${more}`.slice(-BEFORE_MAX),
  context: contextAfter(more, context),
});
const ADDRESS = /[\s"'/](href|src|srcset|action|formaction|background|poster|cite|xlink:href)\s*=\s*["']\s*$/i;

const DATA = new Set(['index', 'key', 'first', 'last', 'root']);

/** A parameter's name for problems. */
function nameOf(value: hbs.AST.Expression): string {
  const { original } = (value.type === 'SubExpression' ? (value as hbs.AST.SubExpression).path : value) as { original?: unknown };
  return value.type === 'SubExpression' ? `(${original} …)` : value.type === 'StringLiteral' ? JSON.stringify(original) : String(original);
}

const text_ = (value: string, { loc }: Node): hbs.AST.StringLiteral => ({ type: 'StringLiteral', value, original: value, loc });
const pair = (key: string, value: hbs.AST.Expression, { loc }: Node): hbs.AST.HashPair => ({ type: 'HashPair', key, value, loc });
const pathTo = (name: string, { loc }: Node): Path => ({
  type: 'PathExpression',
  data: false,
  depth: 0,
  parts: [name],
  original: name,
  loc,
});
