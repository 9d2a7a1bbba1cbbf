import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mailOf } from '../../../functions/notify/event-email.ts';
import { compileTexts, load, PLAIN, ROUTE } from '../../support/stack/routes.ts';

const EVENT = {
  data: JSON.parse(`{
    "id": "42", "status": "INTERNAL_ERROR", "html": "<b>&\\"'", "zero": 0, "no": false, "none": null, "empty": "",
    "start": "2026-11-24T08:00:00.5Z", "end": "2026-11-24T08:03:20.5Z", "epoch": 1795507200, "seconds": "75.5s", "count": "1234567",
    "ratio": 0.9, "cost": 12.5, "steps": [{"name": "a", "ok": true}, {"name": "b"}], "people": ["a@example.com", "b@example.com"],
    "evil": "a@example.com\\r\\nBcc: x@example.com", "two": "a@example.com, b@example.com", "script": "javascript:alert(1)",
    "braces": "https://example.com/{}", "labels": {"my-key": "v", "constructor": "own"}, "log": "https://example.com/a?b=c&d=<e>", "lines": "one\\n<two>",
    "__proto__": {"polluted": "yes"}
  }`),
  attributes: { kind: 'build' },
};

/** Renders one text as html, subject or recipient of a route. */
async function render(
  part: { html?: string; subject?: string; to?: string | string[]; headers?: object },
  files: Record<string, string> = {},
) {
  const { html = 'x', subject = 's', ...change } = part;
  const { module, problems } = compileTexts(
    { r: { ...ROUTE, ...change } },
    { 'plain.hbs': `---\nsubject: ${subject}\n---\n${html}`, ...files },
  );
  if (problems.length > 0) throw Object.assign(new Error(problems.join('\n')), { code: 'build' });
  const compiled = await load(module);
  return mailOf(compiled, compiled.routes['r'] ?? assert.fail(), EVENT) as {
    html: string;
    subject: string;
    to: string[];
    headers: Record<string, string>;
  };
}

const html: readonly (readonly [string, string])[] = [
  ['{{event.html}}', '&lt;b&gt;&amp;&quot;&#x27;'],
  ['{{event.zero}} {{event.no}} [{{event.empty}}]', '0 false []'],
  ['{{attributes.kind}} {{route.name}}', 'build r'],
  ['{{event.labels.[my-key]}} {{event.labels.constructor}}', 'v own'],
  ['{{#if event.gone}}a{{else if event.zero}}b{{else}}c{{/if}}', 'c'],
  ['{{#unless event.gone.deep}}a{{/unless}}', 'a'],
  ['{{default event.gone "none"}} {{default event.none "null"}} {{default event.empty event.id}}', 'none null 42'],
  ['{{default event.gone event.none event.empty event.id}} [{{default event.gone ""}}] [{{default event.gone event.empty}}]', '42 [] []'],
  ['{{#each event.steps}}{{@index}}{{name}}{{#if ok}}!{{/if}} {{/each}}', '0a! 1b '],
  ['{{#each event.steps as |step n|}}{{n}}{{step.name}}{{event.id}} {{/each}}', 'ERROR'],
  ['{{#each event.steps as |step n|}}{{n}}{{step.name}}{{@root.event.id}} {{/each}}', '0a42 1b42 '],
  ['{{#with event.labels as |l|}}{{l.[my-key]}}{{/with}}', 'v'],
  ['{{#if (eq event.status "INTERNAL_ERROR")}}y{{/if}}{{#if (and event.id (not event.no))}}z{{/if}}', 'yz'],
  ['{{#if (in event.id "1" "42")}}y{{/if}}{{#if (gt event.count 5)}}z{{/if}}{{#if (ne event.id "1")}}w{{/if}}', 'yzw'],
  ['{{capital event.status}} {{lower event.status}} {{upper attributes.kind}}', 'Internal error internal_error BUILD'],
  ['{{date event.start}}', '24 Nov 2026, 08:00 UTC'],
  ['{{date event.start zone="Europe/Berlin" locale="de-DE"}}', '24. Nov. 2026, 09:00 MEZ'],
  [
    '{{date event.epoch style="date"}} {{date event.start style="time"}} {{date event.end style="iso"}}',
    '24 Nov 2026 08:00 UTC 2026-11-24T08:03:20.500Z',
  ],
  [
    '{{duration event.start event.end}}, {{duration event.seconds}}, {{duration 0.4}}, {{duration 93784}}, {{duration 3600}}',
    '3 min 20 s, 1 min 16 s, 0.4 s, 1 d 2 h, 1 h',
  ],
  [
    '{{number event.count}} {{number event.cost decimals=2 locale="de-DE"}} {{percent event.ratio}} {{bytes event.count}} {{bytes 999}}',
    '1,234,567 12,50 90% 1.2 MB 999 bytes',
  ],
  ['{{money event.cost "EUR"}}', '€12.50'],
  ['{{truncate event.status 8}} {{tail "projects/p/topics/t"}} {{join event.people}}', 'INTERNA… t a@example.com, b@example.com'],
  ['<a href="{{url event.log}}">x</a>', '<a href="https://example.com/a?b&#x3D;c&amp;d&#x3D;&lt;e&gt;">x</a>'],
  ['{{url "https://example.com/{}?q={}" event.html event.id}}', 'https://example.com/%3Cb%3E%26%22&#x27;?q&#x3D;42'],
  [
    '{{link event.log "<Log>"}}',
    '<a class="link" href="https://example.com/a?b&#x3D;c&amp;d&#x3D;&lt;e&gt;" style="color:#1a56db">&lt;Log&gt;</a>',
  ],
  [
    '{{link event.braces "x"}} {{url event.braces}}',
    '<a class="link" href="https://example.com/{}" style="color:#1a56db">x</a> https://example.com/{}',
  ],
  ['{{#if (linkable event.log)}}y{{/if}}{{#if (linkable event.script)}}n{{/if}}{{#if (linkable event.zero)}}n{{/if}}', 'y'],
  [
    '<a href="{{#if event.id}}{{url event.log}}{{else}}https://example.com/{{event.id}}{{/if}}">',
    '<a href="https://example.com/a?b&#x3D;c&amp;d&#x3D;&lt;e&gt;">',
  ],
  ['{{lines event.lines}}', 'one<br>&lt;two&gt;'],
  ['{{json event.people}}', '[\n  &quot;a@example.com&quot;,\n  &quot;b@example.com&quot;\n]'],
];
for (const [template, page] of html)
  test(`${template} is ${page.slice(0, 60)}`, async () => {
    const rendering = render({ html: template });
    if (page === 'ERROR') await assert.rejects(rendering, { code: 'route_template' });
    else assert.equal((await rendering).html, page);
  });

const strict: readonly (readonly [string, string])[] = [
  ['{{event.gone}}', '"event.gone" is not there'],
  ['{{event.gone.deep}}', '"event.gone.deep" is not there'],
  ['{{event.id.deep}}', '"event.id.deep" is not there'],
  ['{{event.none}}', '"event.none" is null'],
  ['{{event.steps}}', '"event.steps" is a list'],
  ['{{event.labels}}', '"event.labels" is an object'],
  ['{{date event.gone}}', '"event.gone" is not there'],
  ['{{#each event.gone}}x{{/each}}', '"event.gone" is not there'],
  ['{{#each event.steps}}{{missing}}{{/each}}', '"missing" is not there'],
  ['{{#if (eq event.gone "x")}}{{/if}}', '"event.gone" is not there'],
  ['{{event.constructor}}', '"event.constructor" is not there'],
  ['{{event.constructor.constructor}}', '"event.constructor.constructor" is not there'],
  ['{{event.toString}}', '"event.toString" is not there'],
  ['{{event.polluted}}', '"event.polluted" is not there'],
  ['{{event.__proto__.toString}}', 'is not there'],
  ['{{event.id.constructor}}', '"event.id.constructor" is not there'],
  ['{{this.constructor}}', '"this.constructor" is not there'],
  ['{{date event.id}}', 'date: expected a time'],
  ['{{date event.start zone="Mars"}}', 'date: the zone, locale'],
  ['{{duration event.end event.start}}', 'duration: the end lies before'],
  ['{{money event.cost event.id}}', 'money: '],
  ['{{number event.status}}', 'number: expected a number'],
  ['{{url event.script}}', 'url: expected an address that begins with https'],
  ['{{link event.script "x"}}', 'link: expected an address'],
  ['{{url event.braces event.id event.id}}', 'url: expected a value for each {}, and no more'],
  ['{{default event.none event.gone.deep}}', 'default: none of event.none, event.gone.deep is there'],
  ['{{default event.gone event.steps}}', '"default" is a list'],
  ['{{date (default event.gone (default event.none event.gone))}}', 'default: none of event.none, event.gone is there'],
  ['{{join event.id}}', 'join: expected a list'],
  ['{{list event.people}}', 'list: only for recipients'],
];
for (const [template, told] of strict)
  test(`${template} is a failure that names the place`, () =>
    assert.rejects(
      render({ html: `<p>\n${template}` }),
      (error: Error & { code?: string }) =>
        error.code === 'route_template' && error.message.startsWith('config/templates/plain.hbs:5: ') && error.message.includes(told),
    ));

const refused: readonly (readonly [string, string])[] = [
  ['{{evnt.id}}', 'plain.hbs:4: "evnt.id" is unknown; there are event, attributes, route, digest'],
  ['\n{{#if event.id}}', 'plain.hbs:5: the text ends before a {{#…}}'],
  ['{{event.id', 'plain.hbs:4: the braces are not closed'],
  ['\n\n{{event.id}', 'plain.hbs:6: the braces are not closed'],
  ['{{!-- x', 'plain.hbs:4: the braces cannot be read'],
  ['{{> }}', 'plain.hbs:4: something is missing before the closing braces'],
  ['x{{/if}}', 'plain.hbs:4: {{/…}} closes what was not opened'],
  ['x{{else}}', 'plain.hbs:4: {{else}} stands outside of a block'],
  ['\n{{#if event.id}}{{/each}}', 'plain.hbs:5: {{#if}} is still open where {{/each}} stands'],
  ['{{#if}}x{{/if}}', 'plain.hbs:4: if: takes 1 value, this is 0'],
  ['{{#if event.id event.status}}x{{/if}}', 'plain.hbs:4: if: takes 1 value, this is 2'],
  ['{{truncate event.id}}', 'plain.hbs:4: truncate: takes 2 values, this is 1'],
  ['{{duration 1 2 3}}', 'plain.hbs:4: duration: takes 1 or 2 values, this is 3'],
  ['{{default event.id}}', 'plain.hbs:4: default: takes 2 or more values, this is 1'],
  ['{{date event.start zne="UTC"}}', 'plain.hbs:4: date: there is no zne=…; there are zone, locale, style'],
  ['{{upper event.id locale="de-DE"}}', 'plain.hbs:4: upper: there is no locale=…'],
  ['{{name}}', 'plain.hbs:4: "name" is unknown; there are event, attributes, route, digest; a field of the event is event.name'],
  ['{{{event.html}}}', 'plain.hbs:4: three braces and & put text into the page as it is'],
  ['{{&event.html}}', 'plain.hbs:4: three braces'],
  ['{{shout event.id}}', 'plain.hbs:4: there is no helper "shout"; there are and, bytes, '],
  ['{{lookup event "id"}}', 'plain.hbs:4: there is no helper "lookup"'],
  ['{{log event.id}}', 'plain.hbs:4: there is no helper "log"'],
  ['{{#event.steps}}x{{/event.steps}}', 'plain.hbs:4: there is no block "#event.steps"'],
  ['{{> gone}}', 'plain.hbs:4: there is no partial "gone"; there are none'],
  ['{{#> gone}}x{{/gone}}', 'plain.hbs:4: there is no partial "gone"'],
  ['{{> (lookup event "x")}}', 'plain.hbs:4: there is no partial "(…)"'],
  ['{{#*inline "x"}}{{/inline}}', 'plain.hbs:4: decorators and inline'],
  ['<a href="{{event.log}}">', 'plain.hbs:4: an address in an attribute goes through {{url'],
  ['<a href="{{#if event.log}}{{event.log}}{{/if}}">', 'plain.hbs:4: an address in an attribute'],
  ['<a href="{{#if event.gone}}{{url event.log}}{{/if}}{{event.log}}">', 'plain.hbs:4: an address in an attribute'],
  ['<a title="x"href="{{event.log}}">', 'plain.hbs:4: an address in an attribute'],
  ['<a class="{{event.id}}" href={{event.log}}>', 'plain.hbs:4: put quotes around'],
  ['<button formaction="{{event.log}}">', 'plain.hbs:4: an address in an attribute'],
  ['<a href="{{> gone}}">', 'plain.hbs:4: an address in an attribute'],
  ['{{or event.gone event.id}}', 'plain.hbs:4: "or" asks a question'],
  ['{{eq event.id "42"}}', 'plain.hbs:4: "eq" asks a question'],
  ['{{url "https://example.com/{}"}}', 'plain.hbs:4: url: as many values as {} are wanted'],
  ['{{url "https://example.com/" event.id}}', 'plain.hbs:4: url: as many values as {} are wanted'],
  ["<img src='{{event.log}}'>", 'plain.hbs:4: an address in an attribute'],
  ['<td width={{event.id}}>', 'plain.hbs:4: put quotes around the value of an attribute'],
  ['{{@secret}}', 'plain.hbs:4: "@secret" is unknown'],
  ['{{"event"}}', 'plain.hbs:4: "event" is no name'],
];
for (const [template, told] of refused)
  test(`${JSON.stringify(template)} is refused by the build`, () =>
    assert.rejects(
      render({ html: template }),
      (error: Error & { code?: string }) => error.code === 'build' && error.message.includes(told),
    ));

test('a partial that is wrong is there all the same', () => {
  const { problems } = compileTexts({ r: ROUTE }, { 'plain.hbs': '---\nsubject: s\n---\n{{> row}}', 'partials/row.hbs': '{{shout x}}' });
  assert.deepEqual(
    problems.map((one) => one.split(';')[0]),
    ['config/templates/partials/row.hbs:1: there is no helper "shout"'],
  );
});

test('a subject and a header are one line, whatever the event holds', async () => {
  const mail = await render({
    subject: '"{{capital event.status}} <{{event.html}}>"',
    headers: { 'X-Build': '{{event.id}}/{{event.status}}' },
  });
  assert.deepEqual([mail.subject, mail.headers], ['Internal error <<b>&"\'>', { 'X-Build': '42/INTERNAL_ERROR' }]);
  for (const part of [{ subject: '{{event.evil}}' }, { headers: { 'X-Y': '{{lower event.evil}}' } }, { subject: 'a{{json event.people}}' }])
    await assert.rejects(render(part), { code: 'route_template' });
});

test('one entry is one recipient, unless it is a list', async () => {
  assert.deepEqual(
    (
      await render({
        to: ['Dev <dev@example.com>', '{{event.id}}@example.com', '{{#if event.gone}}{{event.gone}}{{/if}}', '{{list event.people}}'],
      })
    ).to,
    ['Dev <dev@example.com>', '42@example.com', 'a@example.com', 'b@example.com'],
  );
  // Two addresses in one value stay one text, which the mail's own parser then refuses.
  assert.deepEqual((await render({ to: '{{event.two}}' })).to, ['a@example.com, b@example.com']);
  for (const to of ['{{event.evil}}', '{{event.people}}', 'x{{list event.people}}', '{{list event.id}}', '{{event.gone}}'])
    await assert.rejects(render({ to }), { code: 'route_template' });
});

test('partials and layouts get values of their own, and a missing one is named with its file', async () => {
  const files = {
    'partials/layout.hbs': '<h1>{{title}}</h1>{{> @partial-block}}{{> fact label="Id" value=event.id}}',
    'partials/fact.hbs': '<b>{{label}}</b> {{value}}',
  };
  assert.equal(
    (await render({ html: '{{#> layout title=event.status}}<p>{{event.id}}</p>{{/layout}}' }, files)).html,
    '<h1>INTERNAL_ERROR</h1><p>42</p><b>Id</b> 42',
  );
  await assert.rejects(render({ html: '{{#> layout}}x{{/layout}}' }, files), /partials\/layout\.hbs:1: "title" is not there/);
  await assert.rejects(render({ html: '{{> fact label="x" value=event.gone}}' }, files), /plain\.hbs:4: "event.gone" is not there/);
  await assert.rejects(
    render({ html: '{{> a}}' }, { 'partials/a.hbs': '{{> b}}', 'partials/b.hbs': '{{> a}}' }),
    /partials\/a\.hbs:1: the partial uses itself/,
  );
});

const files: readonly (readonly [Record<string, string>, string])[] = [
  [{ 'plain.hbs': '<p>x</p>' }, 'plain.hbs:1: expected a head'],
  [{ 'plain.hbs': '---\ntitle: x\n---\n' }, 'plain.hbs:2: expected subject: …'],
  [{ 'plain.hbs': '---\nsubject: {{#if}\n---\n' }, 'plain.hbs:2: '],
  [{ 'plain.hbs': PLAIN, 'Other.hbs': PLAIN }, 'Other.hbs:1: a template is called by'],
  [{ 'plain.hbs': PLAIN, 'other.txt.hbs': 'x' }, 'other.txt.hbs:1: there is no other.hbs'],
  [{ 'plain.hbs': PLAIN, 'unused.hbs': '---\nsubject: x\n---\n{{nope}}' }, 'unused.hbs:4: "nope" is unknown'],
  [{ 'plain.hbs': PLAIN, 'partials/bad.hbs': '\n{{#if}}' }, 'partials/bad.hbs:'],
  [{ 'other.hbs': PLAIN }, 'config/mailgrant.yaml:7: routes.r.template: there is no template "plain"; there are other'],
];
for (const [given, told] of files)
  test(`${told} stops the build`, () => {
    const { problems } = compileTexts({ r: ROUTE }, given);
    assert.ok(
      problems.some((one) => one.includes(told)),
      problems.join('\n'),
    );
  });

test('a text part of its own is not escaped', async () => {
  const { module } = compileTexts({ r: ROUTE }, { 'plain.hbs': PLAIN, 'plain.txt.hbs': '{{event.html}} {{link event.log "Log"}}' });
  const compiled = await load(module);
  assert.equal(mailOf(compiled, compiled.routes['r'] ?? assert.fail(), EVENT)['text'], '<b>&"\' Log (https://example.com/a?b=c&d=<e>)');
});

test('every problem of every route is named at once', () => {
  const { problems } = compileTexts(
    { a: { ...ROUTE, when: 'evnt == 1', dedupe: '1' }, b: { ...ROUTE, to: ['{{nobody}}'], subject: '{{#if}}', every: '1h' } },
    { 'plain.hbs': PLAIN },
  );
  assert.deepEqual(
    problems.map((one) => one.replace(/: there .*|; .*|\(at.*/, '').slice(0, 70)),
    [
      'config/mailgrant.yaml:7: routes.a.when: "evnt" is unknown',
      'config/mailgrant.yaml:7: routes.a.dedupe: expected text, this is int ',
      'config/mailgrant.yaml:7: routes.b.digest',
      'config/mailgrant.yaml:7: "nobody" is unknown',
      'config/mailgrant.yaml:7: the text ends before a {{#…}} or a {{!-- is closed',
    ].map((one) => one.slice(0, 70)),
  );
});

// What an event wrote for a reader's decoder (RFC 2047): written so that none decodes it, and the email goes out all the same.
const disguised = [
  '=?utf-8?B?PT91dGYtOD9RP2E9MEFYOl9iPz0=?=', // encoded twice
  '=?utf-7?Q?a+AAo-b?=',
  '=?iso_8859-1:1987?Q?a=0Ab?=',
  '=?utf-8?Q?a b=0Ac?=',
  '=?utf-8?q?a=0D=0ABcc:_x@example.org?=',
];
for (const title of disguised)
  test(`${title} in an event reaches no header as an encoded-word`, async () => {
    const { module } = compileTexts(
      { r: { ...ROUTE, headers: { 'X-Title': '{{event.title}}' } } },
      { 'plain.hbs': '---\nsubject: Failed {{event.title}}\n---\nx' },
    );
    const compiled = await load(module);
    const event = { data: { title }, attributes: {} };
    const mail = mailOf(compiled, compiled.routes['r'] ?? assert.fail(), event) as { subject: string; headers: Record<string, string> };
    for (const text of [mail.subject, mail.headers['X-Title'] ?? '']) {
      assert.doesNotMatch(text, /=\?/);
      assert.match(text, /= \?/);
    }
  });

/** Places in a page where escaping does not help, or only half: what is said of each is a problem of the build. */
const places: readonly (readonly [place: string, reason: RegExp])[] = [
  ['<script>var a = "{{event.id}}";</script>', /inside <script> is read as a program/],
  ['<script type="application/json">{{json event}}</script>', /inside <script>/],
  ['<SCRIPT>{{event.id}}</SCRIPT>', /inside <script>/],
  ['<style>p { color: {{event.id}} }</style>', /inside <style>/],
  ['<style>{{> tone x=event.id}}</style>', /inside <style>/],
  ['{{#if event.id}}<script>{{/if}}{{event.id}}', /inside <script>/],
  ['<p onclick="go({{event.id}})">x</p>', /inside onclick is read as a program/],
  ["<p ONMOUSEOVER='{{event.id}}'>x</p>", /inside onmouseover/],
  ['<iframe srcdoc="{{event.html}}"></iframe>', /inside srcdoc/],
  ['<p {{event.id}}="x">x</p>', /name of an attribute/],
  ['<p data-{{event.id}}="x">x</p>', /name of an attribute/],
  ['<p class="a" {{#if event.id}}{{event.id}}{{/if}}>x</p>', /name of an attribute/],
  ['<{{event.id}}>x', /name of a tag/],
  ['<h{{event.id}}>x', /name of a tag/],
  ['</{{event.id}}>', /name of a tag/],
  ['<a href="java{{event.id}}">x</a>', /part of the scheme/],
  ['<a href="javascript:{{url event.log}}">x</a>', /part of the scheme/],
  ['<a href=" {{event.log}}">x</a>', /goes through \{\{url/],
  ['<a href="https:{{event.id}}">x</a>', /part of the scheme/],
  ['<img src="data:{{event.id}}">', /part of the scheme/],
  ['<p class={{event.id}}>x</p>', /quotes around/],
];
for (const [place, reason] of places)
  test(`${place} is a problem of the build`, async () => {
    const files = { 'partials/tone.hbs': 'red{{x}}' };
    await assert.rejects(
      render({ html: place }, files),
      (error: Error & { code?: string }) => error.code === 'build' && reason.test(error.message),
    );
  });

for (const place of [
  '<p class="{{event.status}}" title=\'{{event.id}}\'>{{event.html}}</p>',
  '<a href="https://example.com/{{event.id}}?q={{event.status}}">{{event.id}}</a>',
  '<a href="{{url event.log}}#{{event.id}}">x</a>',
  '<a href="mailto:{{event.id}}">x</a>',
  '<a href="/builds/{{event.id}}">x</a>',
  '<!-- {{event.id}} --><p>1 < 2 {{event.id}}</p>',
  '<script>var a = 1;</script><p>{{event.id}}</p>',
  '<style>p { color: red }</style><p>{{event.id}}</p>',
  '<td style="background:{{> tone x=event.id}}">{{event.id}}</td>',
  '<p>{{#if event.id}}<b>{{/if}}{{event.id}}{{#if event.id}}</b>{{/if}}</p>',
])
  test(`${place} is taken`, async () => assert.ok((await render({ html: place }, { 'partials/tone.hbs': 'red{{x}}' })).html));

for (const [name, source] of [
  ['a loop in a loop', '{{#each event.list as |x|}}{{#each @root.event.list as |y|}}{{y}}{{/each}}{{/each}}'],
  ['a loop over more than 10,000 elements', '{{#each event.numbers}}{{this}}{{/each}}'],
  ['a long text in each round', '{{#each event.list}}{{@root.event.long}}{{/each}}'],
  ['a long text in each round of a partial', '{{#each event.list}}{{> part}}{{/each}}'],
] as const)
  test(`${name} ends when the template has written enough, and tells nothing of the event`, async () => {
    const { module, problems } = compileTexts(
      { r: { ...ROUTE } },
      { 'plain.hbs': `---\nsubject: s\n---\n${source}`, 'partials/part.hbs': '{{@root.event.long}}' },
    );
    assert.deepEqual(problems, []);
    const compiled = await load(module);
    const data = { list: Array(1_000).fill('x'), numbers: Array(20_000).fill(1), long: 'canary-body'.repeat(50_000) };
    assert.throws(
      () => mailOf(compiled, compiled.routes['r'] ?? assert.fail(), { data, attributes: {} }),
      (error: Error & { code?: string }) =>
        error.code === 'route_template' && /10000 rounds|20000000 characters/.test(error.message) && !error.message.includes('canary'),
    );
  });

test('a loop over 5,000 elements is rendered', async () => {
  const { module } = compileTexts({ r: { ...ROUTE } }, { 'plain.hbs': '---\nsubject: s\n---\n{{#each event.numbers}}{{this}},{{/each}}' });
  const compiled = await load(module);
  const event = { data: { numbers: Array(5_000).fill(1) }, attributes: {} };
  const { html } = mailOf(compiled, compiled.routes['r'] ?? assert.fail(), event) as { html: string };
  assert.equal(html.match(/1,/g)?.length, 5_000);
});
