import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { Config } from '../mail/model/config.ts';
import { compileRoutes, type Locate, type SourceFile } from '../notify/compile-routes.ts';
import { ConfigProblems } from './config-problems.ts';
import { baseOf, loadConfig } from './load-config.ts';

/** A configuration, and the JavaScript module that is compiled from its routes and templates. */
export interface CompiledConfig {
  readonly config: Config;
  readonly module: string;
}

/**
 * Reads and validates the configuration, and compiles its routes with the templates in the folder beside it and with mailgrant's
 * own. Throws ConfigProblems with every problem, each with its file and line.
 */
export function compileConfig(file: string): CompiledConfig {
  const config = loadConfig(file);
  const { module, problems } = compileRoutes(config.routes ?? [], templatesFor(join(dirname(file), 'templates')), locator(file), {
    all: config.documents !== undefined || config.keys.length > 0, // documents and requests may name any template
  });
  if (problems.length > 0) throw new ConfigProblems(file, problems);
  return { config, module };
}

/** The templates that mailgrant supplies, seen from `functions/config/` and from its compiled form. */
const SUPPLIED = fileURLToPath(new URL('../../config/templates', import.meta.url));

/** The templates and partials of a folder, and the supplied ones; where both have a name, the folder's own is used. */
function templatesFor(folder: string): SourceFile[] {
  const own = filesIn(folder);
  if (resolve(folder) === resolve(SUPPLIED)) return own;
  const names = new Set(own.map(({ path }) => path));
  return [...own, ...filesIn(SUPPLIED).filter(({ path }) => !names.has(path))];
}

function filesIn(folder: string): SourceFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.hbs'))
    .sort()
    .map((path) => ({ path: path.replaceAll('\\', '/'), file: join(folder, path), text: readFileSync(join(folder, path), 'utf8') }));
}

/** The place of a route's setting; the place of the route where the setting is a default. */
function locator(file: string): Locate {
  const files = [file, ...baseOf(file)].map((name) => {
    const counter = new LineCounter();
    return { name, counter, document: parseDocument(readFileSync(name, 'utf8'), { lineCounter: counter }) };
  });
  return (route, ...setting) => {
    const paths = [...setting.map((_, index) => ['routes', route, ...setting.slice(0, setting.length - index)]), ['routes', route]];
    for (const path of paths)
      for (const { name, counter, document } of files) {
        const node = document.getIn(path, true);
        if (isNode(node) && node.range) return { file: name, line: counter.linePos(node.range[0]).line };
      }
    return { file, line: 1 };
  };
}
