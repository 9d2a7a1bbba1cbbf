/**
 * In the supplied templates a field of the vendor is optional: whatever becomes of one, an email comes out that `POST /emails`
 * would take. What a person must see is said beside it in rows.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { parseRequest } from '../../../functions/mail/message/email.ts';
import { htmlToText } from '../../../functions/mail/mime/html-to-text.ts';
import type { Compiled } from '../../../functions/notify/compiled.ts';
import { mailOf } from '../../../functions/notify/event-email.ts';
import { routeNamed } from '../../../functions/notify/handle-event.ts';
import { sampled } from '../../support/deep.ts';
import { compileTexts, load, ROUTE } from '../../support/stack/routes.ts';
import { type Case, cases, compileShipped, sample } from '../../support/stack/samples.ts';

type Fields = Record<string, unknown>;
let compiled: Compiled;
before(async () => {
  compiled = await compileShipped();
});

const emailOf = ({ template, data, attributes, digest }: Omit<Case, 'name'>) => {
  const email = mailOf(compiled, routeNamed(template, compiled), { data, attributes }, digest);
  parseRequest(email);
  return { subject: String(email['subject']), text: htmlToText(String(email['html'])), html: String(email['html']) };
};

const GONE = Symbol('gone');
/** What a vendor, or who forges one, may send in place of a field. */
const INSTEAD: readonly unknown[] = [
  GONE,
  null,
  '',
  0,
  -1,
  Number.NaN,
  'NaN',
  true,
  [],
  [null],
  ['a', 1],
  {},
  { a: { b: null } },
  '0001-01-01T00:00:00Z',
  '1969-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  'a\r\nBcc: x@example.com',
  'javascript:alert(1)',
  '\u0000\u001b[31m\ud800\u2028',
  '=?utf-8?Q?a=0D=0ABcc:_x@example.com?=',
  'x'.repeat(5_000),
];

/** Every path in a value, through lists too. */
function* paths(value: unknown, at: readonly string[] = []): Generator<readonly string[]> {
  if (at.length > 0) yield at;
  if (typeof value === 'object' && value !== null) for (const [key, one] of Object.entries(value)) yield* paths(one, [...at, key]);
}

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as Fields) }) as Fields;
  if (rest.length > 0) copy[first] = replaced(copy[first], rest, by);
  else if (by !== GONE) copy[first] = by;
  else if (Array.isArray(copy)) copy.splice(Number(first), 1);
  else delete copy[first];
  return copy;
}

const valueAt = (value: unknown, path: readonly string[]): unknown => path.reduce((at, name) => (at as Fields)[name], value);
const isTime = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);

for (const one of cases())
  test(`${one.name} is an email, whatever becomes of one of its fields`, () => {
    const whole = JSON.parse(JSON.stringify({ event: one.data, attributes: one.attributes })) as Fields;
    let tried = 0;
    for (const path of sampled([...paths(whole)], 15)) {
      if (path.length === 1) continue;
      for (const by of path[0] === 'attributes' ? [GONE, '', 'a\r\nb', 'x'.repeat(5_000)] : INSTEAD) {
        const { event, attributes } = replaced(whole, path, by) as { event: unknown; attributes: Record<string, string> };
        const shown = `${path.join('.')} is ${by === GONE ? 'gone' : JSON.stringify(by)}`;
        try {
          const { subject, html, text } = emailOf({ ...one, data: event, attributes });
          assert.match(subject, /\S/, shown);
          assert.doesNotMatch(subject, /\p{Cc}|undefined|\[object|null$/u, shown);
          assert.doesNotMatch(text, /\[object|\bundefined\b/, shown);
          if (isTime(valueAt(whole, path))) assert.doesNotMatch(text, /0001-|\b1 Jan 1\b|Jan 1970/, shown);
          assert.doesNotMatch(html, /href="javascript/, shown);
        } catch (error) {
          throw new Error(`${shown}: ${(error as Error).message}`, { cause: error });
        }
        tried += 1;
      }
    }
    assert.ok(tried > 20);
  });

test('what is no event of the vendor is refused by the fields that it lacks', () => {
  for (const { template, name } of cases().filter(({ template, digest }) => template !== 'webhook' && !digest))
    for (const data of [{}, null, 'text', [], { unlike: 'anything' }])
      assert.throws(
        () => emailOf({ template, data, attributes: {} }),
        (error: Error & { code?: string }) => error.code === 'route_template' && / none of (event|attributes)\./.test(error.message),
        name,
      );
});

const incident = (change: Fields): Fields => ({
  ...sample('monitoring-incident'),
  incident: { ...(sample('monitoring-incident')['incident'] as Fields), ...change },
});
const grafana = (change: Fields): Fields => ({
  ...sample('grafana'),
  alerts: (sample('grafana')['alerts'] as Fields[]).map((alert) => ({ ...alert, ...change })),
});
const run = (change: Fields): Fields => ({
  ...sample('github-workflow-run'),
  workflow_run: { ...(sample('github-workflow-run')['workflow_run'] as Fields), ...change },
});

const rows: readonly { of: string; template: string; data: Fields; subject?: RegExp; has?: RegExp; hasNot?: RegExp }[] = [
  {
    of: 'an incident that somebody acknowledged is not closed',
    template: 'monitoring-incident',
    data: incident({ state: 'acknowledged' }),
    subject: /^Acknowledged: /,
    has: /incident acknowledged/,
    hasNot: /closed/i,
  },
  {
    of: 'an incident of a state that is new is an alert',
    template: 'monitoring-incident',
    data: incident({ state: 'reopened' }),
    subject: /^Alert: /,
  },
  {
    of: '0 is a value that was observed',
    template: 'monitoring-incident',
    data: incident({ observed_value: 0, threshold_value: 0 }),
    has: /Observed\s+0\s+Threshold\s+0\b/,
  },
  {
    of: 'a resolved alert without an end has no year 1',
    template: 'grafana',
    data: { ...grafana({ status: 'resolved' }), status: 'resolved' },
    has: /Resolved/,
    hasNot: /Until|Jan 1\b|0001/,
  },
  {
    of: 'a value that is missing is a dash, and the one beside it is there',
    template: 'grafana',
    data: grafana({ values: { A: null, B: 0 } }),
    has: /A\s+-\s+B\s+0\b/,
  },
  {
    of: 'a run that ended before it began took no time that could be told',
    template: 'github-workflow-run',
    data: run({ run_started_at: '2026-11-24T08:05:00Z', updated_at: '2026-11-24T08:04:59Z' }),
    has: /Result\s+Failure/,
    hasNot: /Took/,
  },
  {
    of: 'an Alertmanager of before 0.22, without truncatedAlerts',
    template: 'alertmanager',
    data: Object.fromEntries(Object.entries(sample('alertmanager')).filter(([name]) => name !== 'truncatedAlerts')),
    subject: /^\[FIRING\] HighErrorRate$/,
  },
  {
    of: 'a time that cannot be read is shown as it came',
    template: 'security-finding',
    data: { ...sample('security-finding'), finding: { ...(sample('security-finding')['finding'] as Fields), eventTime: 'yesterday' } },
    has: /Seen\s+yesterday/,
  },
  {
    of: 'a budget without a currency is the bare amount',
    template: 'budget-alert',
    data: { ...sample('budget-alert'), currencyCode: null, costAmount: 0 },
    subject: /^Budget Shop, monthly: 0 of 500$/,
  },
];

for (const { of, template, data, subject = /./, has = /./, hasNot = /^(?!)/ } of rows)
  test(of, () => {
    const email = emailOf({ template, data, attributes: {} });
    assert.match(email.subject, subject);
    assert.match(email.text, has);
    assert.doesNotMatch(email.text, hasNot);
  });

for (const { of, html, fix, not } of [
  { of: 'missing', html: '{{number event.gone}}', fix: /"event\.gone" is not there; .*\{\{default event\.gone …\}\}/, not: /publisher/ },
  { of: 'null', html: '{{event.none}}', fix: /"event\.none" is null; .*\(present event\.none\)/, not: /publisher/ },
  {
    of: 'wrong',
    html: '{{number event.name}}',
    fix: /number: expected a number, this is other text; correct what the publisher sends/,
    not: /default/,
  },
  { of: 'a list', html: '{{date event.list}}', fix: /date: expected a time, this is a list; correct/, not: /default/ },
])
  test(`in a strict template a value that is ${of} has a fix of its own`, async () => {
    const own = await load(compileTexts({ r: ROUTE }, { 'plain.hbs': `---\nsubject: s\n---\n${html}` }).module);
    assert.throws(
      () => mailOf(own, routeNamed('r', own), { data: { none: null, name: 'canary-value', list: [1] }, attributes: {} }),
      ({ message }: Error) => fix.test(message) && !not.test(message) && !message.includes('canary'),
    );
  });

const HEADS = { optional: 'fields: optional\n', strict: '' };
for (const [kind, head] of Object.entries(HEADS))
  test(`a template of one's own is strict unless its head says otherwise: ${kind}`, async () => {
    const files = { 'plain.hbs': `---\nsubject: "Build {{event.id}}"\n${head}---\n<p>{{event.gone}}</p>` };
    const { module } = compileTexts({ r: ROUTE }, files);
    const own = await load(module);
    const render = () => mailOf(own, routeNamed('r', own), { data: { id: 'a\nb' }, attributes: {} });
    if (kind === 'strict') assert.throws(render, { code: 'route_template' });
    else assert.equal(render()['subject'], 'Build a b');
  });

test('recipients and headers of a route stay strict, whatever its template is', async () => {
  for (const change of [
    { to: '{{event.gone}}' },
    { headers: { 'X-A': '{{event.bad}}' } },
    { subject: '{{event.bad}}' },
    { reply_to: '{{event.bad}}' },
  ]) {
    const files = { 'plain.hbs': '---\nsubject: s\nfields: optional\n---\n<p>x</p>' };
    const own = await load(compileTexts({ r: { ...ROUTE, ...change } }, files).module);
    assert.throws(() => mailOf(own, routeNamed('r', own), { data: { bad: 'a\nb' }, attributes: {} }), { code: 'route_template' });
  }
});

for (const [head, reason] of [
  ['fields: loose', /fields: expected "optional"/],
  ['needs: event', /needs: expected fields/],
  ['needs: event.a, b', /needs: expected fields/],
  ['fileds: optional', /expected subject: … or fields: … or needs: …/],
] as const)
  test(`the head "${head}" is a problem of the build`, () => {
    const { problems } = compileTexts({ r: ROUTE }, { 'plain.hbs': `---\nsubject: s\n${head}\n---\n<p>x</p>` });
    assert.match(problems.join('\n'), reason);
  });
