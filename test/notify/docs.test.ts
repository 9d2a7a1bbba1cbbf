/** The routes of the documentation, compiled with the templates that ship, and fed with the samples that ship. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { compileRoutes } from '../../functions/notify/compile-routes.ts';
import { evaluateRoute } from '../../functions/notify/event-email.ts';
import { routeNamed } from '../../functions/notify/handle-event.ts';
import { HELPERS } from '../../functions/notify/templates/helper-names.ts';
import { blocksOf } from '../support/stack/pages.ts';
import { configWith, load } from '../support/stack/routes.ts';
import { sample, shipped } from '../support/stack/samples.ts';

const PAGE = 'docs/routes.md';
const page = readFileSync(PAGE, 'utf8');
const blocks = blocksOf(PAGE);
const routes = Object.assign({}, ...blocks.filter(({ language }) => language === 'yaml').map(({ code }) => parse(code).routes)) as Record<
  string,
  { template: string }
>;
const ATTRIBUTES = { eventType: 'OBJECT_FINALIZE', billingAccountId: '01A2B3' };
/** What a sample lacks of what its route wants. */
const CHANGE: Readonly<Record<string, object>> = { images: { tag: 'europe-west1-docker.pkg.dev/p/images/a:stable' } };

for (const [name, { template }] of Object.entries(routes))
  test(`the route ${name} of the page wants the sample of its template`, async () => {
    const { module, problems } = compileRoutes(configWith(routes).routes ?? [], shipped(), () => ({ file: PAGE, line: 1 }));
    assert.deepEqual(problems, []);
    const compiled = await load(module);
    const event = { data: { ...sample(template), ...CHANGE[name] }, attributes: ATTRIBUTES };
    assert.ok(await evaluateRoute(routeNamed(name, compiled), event));
  });

test('the template of the page compiles', () => {
  const [block] = blocks.filter(({ language }) => language === 'handlebars');
  const files = [...shipped(), { path: 'page.hbs', file: PAGE, text: block?.code ?? '' }];
  assert.deepEqual(compileRoutes([], files, () => ({ file: PAGE, line: 1 })).problems, []);
});

test('the page names every helper and every shipped sample exists', () => {
  const missing = [...HELPERS].filter((name) => !new RegExp(`[{( \`"]${name}[ \`,]`).test(page));
  assert.deepEqual(missing, []);
  for (const { template } of Object.values(routes)) assert.ok(existsSync(`config/samples/${template}.json`), template);
});
