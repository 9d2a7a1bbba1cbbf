import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from '../../../functions/config/schema.ts';
import type { Config } from '../../../functions/mail/model/config.ts';
import { compileRoutes } from '../../../functions/notify/compile-routes.ts';
import type { Compiled } from '../../../functions/notify/compiled.ts';
import { CONFIG } from './laptop.ts';

/** A valid route, to change one thing of. */
export const ROUTE = { topic: 'cloud-builds', from: 'notices@example.com', to: ['dev@example.com'], template: 'plain' };
export const PLAIN = '---\nsubject: Build {{event.id}}\n---\n<p>It is {{event.status}}.</p>\n';

/** A config with these routes. */
export function configWith(routes: Record<string, object>): Config {
  const { config, problems } = checkConfig({ mailboxes: { 'notices@example.com': {} }, routes });
  if (!config) throw new Error(problems.join('\n'));
  return config;
}

/** What the build says of routes and template files that are given as text. */
export function compileTexts(routes: Record<string, object>, files: Record<string, string>, options = {}) {
  const sources = Object.entries(files).map(([path, text]) => ({ path, file: `config/templates/${path}`, text }));
  return compileRoutes(configWith(routes).routes ?? [], sources, () => ({ file: 'config/mailgrant.yaml', line: 7 }), options);
}

/** The compiled module, loaded. */
export const load = async (module: string): Promise<Compiled> =>
  ((await import(`data:text/javascript,${encodeURIComponent(module)}`)) as { compiled: Compiled }).compiled;

/** A config with these routes, and the file that a laptop reads them from as compiled. */
export function routed(
  routes: Record<string, object>,
  files: Record<string, string>,
): { config: Config; settings: { routesFile: string } } {
  const { module, problems } = compileTexts(routes, files);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const routesFile = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'routes.mjs');
  writeFileSync(routesFile, module);
  return { config: { ...CONFIG, routes: configWith(routes).routes ?? [] }, settings: { routesFile } };
}
