import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCel } from '../../../functions/notify/conditions/check-cel.ts';
import { meets, valueText } from '../../../functions/notify/conditions/evaluate.ts';
import type { Expression, NotifyEvent } from '../../../functions/notify/conditions/event.ts';
import { literal } from '../../../functions/notify/literal.ts';

const EVENT: NotifyEvent = {
  data: JSON.parse(
    '{"status":"FAILURE","id":"7","n":5,"half":0.5,"none":null,"steps":[{"s":"ok"},{"s":"bad"}],"labels":{"env":"prod"},"at":"2026-11-24T08:00:00Z","bad":"canary-body(","odd":"🙂"}',
  ),
  attributes: { kind: 'build', count: '3' },
};

/** Compiled as the build does it: the tree goes through JavaScript text. */
function compiled(source: string, field: Expression['field'] = 'when'): Expression {
  const checked = checkCel(field, source);
  assert.ok('expression' in checked, 'problem' in checked ? checked.problem.reason : '');
  return new Function(`return ${literal(checked.expression)}`)() as Expression;
}

const decided: readonly (readonly [string, boolean])[] = [
  ['event.status in ["FAILURE", "TIMEOUT"]', true],
  ['event.status == "SUCCESS"', false],
  ['event.n > 4 && event.half < 1', true],
  ['event.n == 5 && event.n in [5, 6]', true],
  ['int(event.n) + 1 == 6', true],
  ['event.half * 100.0 >= 50', true],
  ['event.none == null', true],
  ['has(event.gone)', false],
  ['has(event.constructor) || has(event.toString)', false],
  ['has(event.gone) && event.gone.deep', false],
  ['event.steps.exists(step, step.s == "bad")', true],
  ['event.steps.all(step, step.s == "ok")', false],
  ['event.steps.filter(step, step.s == "ok").size() == 1', true],
  ['event.labels.env == "prod" && "env" in event.labels && event["labels"]["env"].startsWith("pr")', true],
  ['attributes.kind == "build" && int(attributes.count) == 3', true],
  ['"kind" in attributes && !("x" in attributes)', true],
  ['timestamp(event.at) > timestamp("2026-11-23T00:00:00Z")', true],
  ['timestamp(event.at).getHours() == 8', true],
  ['event.status.matches("^(FAIL|TIME).*$")', true],
  ['event.status.lowerAscii() == "failure"', true],
  ['event.odd == "🙂" && size(event.odd) == 1', true],
  ['event.gone == 1 || true', true],
  ['event.n == -5 || event.n == 5u', true],
  ['event.status == "FAILURE" ? true : event.gone', true],
  ['b"\\x00" == b"\\x00"', true],
];
for (const [source, verdict] of decided) test(`${source} is ${verdict}`, () => assert.equal(meets(compiled(source), EVENT), verdict));

const undecided: readonly { source: string; told: RegExp }[] = [
  { source: 'event.gone == 1', told: /^when: no such field; .* \(event\.gone\) at column 6$/ },
  { source: 'event.labels.gone == 1', told: /^when: no such field; .* \(event\.labels\.gone\)/ },
  { source: 'event.n + 1 > 2', told: /^when: a double and an int .* write 1\.0 for 1 at column 9$/ },
  { source: 'event.n + "1" == ""', told: /^when: found no matching overload for '_\+_' applied to '\(double, string\)' at column 9$/ },
  {
    source: 'attributes["x-gone"] == "a"',
    told: /^when: no such field; "x-gone" in attributes asks .* \(attributes\["x-gone"\]\) at column 1$/,
  },
  { source: 'event.status', told: /^when: expected true or false, got string$/ },
  { source: 'event.status && true', told: /^when: type mismatch: expected bool, got string/ },
  { source: 'event.steps', told: /^when: expected true or false, got a list, a map or a time$/ },
  { source: 'timestamp(event.bad) > timestamp(event.at)', told: /^when: it cannot be evaluated for this event/ },
  { source: 'event[event.bad] == 1', told: /^when: no such field; has\(…\) asks whether it is there \(event\) at column 1$/ },
];
for (const { source, told } of undecided)
  test(`${source} is a failure, not "no match", and tells nothing of the event`, () =>
    assert.throws(
      () => meets(compiled(source), EVENT),
      (error: Error & { code?: string }) => error.code === 'route_condition' && told.test(error.message) && !/canary/.test(error.message),
    ));

test('dedupe comes to text, or fails', () => {
  assert.equal(valueText(compiled('event.id + ":" + event.status', 'dedupe'), EVENT), '7:FAILURE');
  assert.throws(() => valueText(compiled('event.n', 'dedupe'), EVENT), { code: 'route_condition' });
});

const refused: readonly { source: string; field?: Expression['field']; line?: number; column: number; reason: RegExp }[] = [
  { source: 'event.status ==', column: 14, reason: /end of input/ },
  { source: 'event.status === "x"', column: 14, reason: /=/ },
  { source: 'event.status = "x"', column: 14, reason: /^= compares nothing; write ==$/ },
  { source: 'event.a == "x" and event.b', column: 16, reason: /^write && in place of "and"$/ },
  { source: 'event.a || not event.b', column: 12, reason: /^write ! in place of "not"$/ },
  { source: 'event.a == "x" && event.b in ["y", "z]', column: 36, reason: /has no closing "$/ },
  { source: "event.a == 'x", column: 12, reason: /has no closing '$/ },
  { source: 'event.a == “x”', column: 12, reason: /not in “$/ },
  { source: 'event.a == "it\'s" &&', column: 19, reason: /^nothing follows$/ },
  { source: 'has(event) && true', column: 1, reason: /has\(event\.name\)/ },
  { source: 'event.a == 1\n  && evnt.b == 2', line: 2, column: 6, reason: /"evnt" is unknown; there are event and attributes/ },
  { source: 'lower(event.status) == "x"', column: 1, reason: /no function "lower"/ },
  { source: '"a" + 1 == "a1"', column: 4, reason: /\+\(string, int\) does not go together/ },
  { source: 'event.x in "abc"', column: 9, reason: /in\(dyn, string\) does not go together/ },
  { source: 'attributes.kind == "a" && attributes.kind', column: 1, reason: /&&\(bool, string\)/ },
  { source: '"FAILURE"', column: 1, reason: /expected true or false, this is string/ },
  { source: 'size(event.steps)', column: 1, reason: /expected true or false, this is int/ },
  { source: 'event.id == "x"', field: 'dedupe', column: 10, reason: /expected text, this is bool/ },
  { source: 'event.status.matches("(")', column: 13, reason: /missing closing \)/ },
  { source: 'timestamp("yesterday") < timestamp(event.at)', column: 1, reason: /RFC 3339|timestamp/ },
  { source: 'event.status.startsWith("a", "b")', column: 13, reason: /startsWith\(string, string\)/ },
  { source: 'Foo{a: 1} == event', column: 1, reason: /"Foo" is no type/ },
  { source: '"abc".x == 1', column: 6, reason: /string has no fields/ },
  { source: 'event.steps.exists(s, x.s == "bad")', column: 23, reason: /"x" is unknown/ },
  { source: '"abc".exists(s, true)', column: 6, reason: /string is no list/ },
  { source: 'event.?x', column: 6, reason: /found/ },
];
for (const { source, field = 'when', line = 1, column, reason } of refused)
  test(`${JSON.stringify(source)} is refused by the build at ${line}:${column}`, () => {
    const checked = checkCel(field, source);
    assert.ok('problem' in checked, 'it was accepted');
    assert.match(checked.problem.reason, reason);
    assert.deepEqual([checked.problem.line, checked.problem.column], [line, column]);
  });

const refusedLoops: readonly string[] = [
  'event.a.exists(x, event.b.exists(y, x == y))',
  'event.a.all(x, x.tags.all(t, t != "x"))',
  'event.a.map(x, event.a.filter(y, y == x)).size() > 1',
  'event.a.exists(x, ["k"].exists(k, event.b.exists(y, y == k)))',
  'event.a.exists(x, true || event.a.exists(y, event.a.exists(z, x == z)))',
];
for (const source of refusedLoops)
  test(`${source} is a problem of the build: its cost is a product`, () => {
    const checked = checkCel('when', source);
    assert.match('problem' in checked ? checked.problem.reason : '', /once for each element of another one/);
  });

for (const source of [
  'event.a.filter(x, x > 1.0).exists(y, y == 3.0)',
  '["a", "b"].exists(k, event.a.exists(x, x == k))',
  'event.a.exists(x, x in ["a", "b"].map(k, k + "!"))',
])
  test(`${source} is bounded, and taken`, () => assert.ok('expression' in checkCel('when', source)));

for (const [name, source] of [
  ['brackets', `${'('.repeat(2_000)}true${')'.repeat(2_000)}`],
  ['lists', `${'['.repeat(500)}${']'.repeat(500)} == []`],
  ['negations', `${'!'.repeat(3_999)}true`],
] as const)
  test(`${name} that are nested too deeply are a sentence, not a stack overflow`, () => {
    const checked = checkCel('when', source);
    assert.match('problem' in checked ? checked.problem.reason : '', /nested more than 50 levels/);
  });

test('a condition looks through lists of 1000 elements, and ends when its steps are used up', () => {
  const list = (length: number) => ({ data: { a: Array.from({ length }, (_, n) => n) }, attributes: {} });
  const one = compiled('event.a.exists(x, x == -1.0)');
  assert.equal(meets(one, list(1_000)), false);
  const failure = (reason: RegExp) => (error: Error & { code?: string }) => error.code === 'route_condition' && reason.test(error.message);
  assert.throws(() => meets(one, list(1_001)), failure(/a list has 1001 elements/));
  const many = compiled(`[${Array.from({ length: 100 }, (_, n) => n).join(',')}].all(k, event.a.all(x, x >= 0.0))`);
  assert.equal(meets(many, list(50)), true);
  assert.throws(() => meets(many, list(1_000)), failure(/more than 10000 steps/));
  // An error within a macro would be passed over: the budget still ends it.
  const hidden = compiled(`true || [${Array.from({ length: 100 }, (_, n) => n).join(',')}].exists(k, event.a.exists(x, x == -1.0))`);
  assert.equal(meets(hidden, list(10)), true);
});

// Each of these would take from ten seconds to for ever, or all memory, with an event that a webhook may carry.
const LONG = 'a'.repeat(1_500_000);
const LIST = Array.from({ length: 1_000 }, (_, n) => `z${n}`);
const NUMBERS = Array.from({ length: 300_000 }, (_, n) => n);
for (const source of [
  'event.list.exists(x, x in event.numbers)',
  'event.list.exists(x, event.numbers == event.others)',
  'event.list.exists(x, event.long.upperAscii() == x)',
  'event.list.exists(x, size(event.long) == 3)',
  'event.list.exists(x, size(event.long.split("a")) == 3)',
  'event.list.exists(x, event.long.replace("a", x) == x)',
  'event.list.exists(x, event.long.matches("(a+)+b"))',
  'event.list.exists(x, event.long + x == "")',
  'event.list.exists(x, (event.long + x).contains("b"))',
  'event.long.replace("a", event.long) == ""',
  'event.some.replace("a", event.some).replace("a", event.some) == ""',
  'event.long.replace("", "b") == ""',
  'event.long.split("").join(event.long) == ""',
  '[event.list].exists(l, l.exists(x, "%s%s".format([event.long, event.long]) == x))',
])
  test(`${source} ends when its functions have read enough`, () => {
    const checked = checkCel('when', source);
    const data = { list: LIST, numbers: NUMBERS, others: [...NUMBERS.slice(0, -1), 0], long: LONG, some: 'a'.repeat(2_000) };
    assert.ok('expression' in checked || /over a list once for each/.test(checked.problem.reason));
    if (!('expression' in checked)) return;
    assert.throws(
      () => meets(checked.expression, { data, attributes: {} }),
      (error: Error & { code?: string }) => error.code === 'route_condition' && /read more than 10000000/.test(error.message),
    );
  });

const LINES = Array.from({ length: 1_000 }, (_, n) => `line ${n} `.repeat(20));
for (const [source, met] of [
  ['event.long.upperAscii().lowerAscii().trim().contains("b")', false],
  ['event.text.replace("\\n", " ").contains("nothing")', false],
  ['event.long.matches("(?i)error.*timeout")', false],
  ['event.lines.map(x, x.lowerAscii()).exists(x, x.contains("line 999"))', true],
  ['event.lines.map(x, x + "!").join("\\n").contains("nothing")', false],
  ['event.lines.exists(x, x.matches("^line 99[0-9] "))', true],
  ['event.list.map(x, x).size() == 1000', true],
  ['(event.numbers + event.numbers).size() == 600000', true],
] as const)
  test(`${source} is within the budget`, () => {
    const data = { long: LONG, text: LINES.join('\n'), lines: LINES, list: LIST, numbers: NUMBERS };
    assert.equal(meets(compiled(source), { data, attributes: {} }), met);
  });

for (const source of [
  'event.id.matches(event.pattern)',
  'event.id.matches("a" + event.pattern)',
  'event.list.exists(x, event.id.matches(x))',
])
  test(`${source} is refused: its pattern is not written out`, () => {
    const checked = checkCel('when', source);
    assert.match('problem' in checked ? checked.problem.reason : '', /pattern of matches must be written out/);
  });
