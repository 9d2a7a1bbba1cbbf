/** What needs no server: `explain`, the configuration, templates and conditions as the build checks them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { ConfigProblems } from '../../functions/config/config-problems.ts';
import { checkText } from '../../functions/config/load-config.ts';
import { explain } from '../../functions/diagnose/explain.ts';
import { MailFailure } from '../../functions/mail/model/failure.ts';
import { mailOf } from '../../functions/notify/event-email.ts';
import { routeNamed } from '../../functions/notify/handle-event.ts';
import { compileTexts, load, ROUTE } from '../support/stack/routes.ts';
import { type Door, fieldsOf, shape, textOf } from './door.ts';
import { hostile } from './events.ts';
import { nasty, odd } from './inputs.ts';

const errorText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '535-5.7.8 Username and Password not accepted',
        '{"error":"invalid_grant","error_description":"Token has been expired or revoked."}',
        'smtp.gmail.com:587',
        'DEBUG = True\nEMAIL_HOST_PASSWORD = "canary-password"',
        'Traceback (most recent call last):\n  File "x.py", line 1',
        'at Object.<anonymous> (x.js:1:1)',
        'password: ',
        'ya29.',
        'AUTH PLAIN ',
        '\\n',
        '\u001b[31m',
      ),
      nasty,
      fc.string(),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join('\n'));

const CONFIG_TEXT = readFileSync('config/mailgrant.yaml', 'utf8');
const setting = fc.constantFrom(
  'mailboxes',
  'keys',
  'routes',
  'delivery',
  'documents',
  'events',
  'ledger',
  'extends',
  '__proto__',
  'hook',
  'to',
  'when',
  'from',
  'limits',
  'secret',
  'grant',
  'via',
);
const configValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    nasty,
    odd,
    fc.constantFrom('notices@example.com', 'smtp', 'event.a == 1', '1h'),
    fc.dictionary(fc.oneof(setting, fc.constant('notices@example.com'), nasty), tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** Templates are text; the mistake must be named, and what compiles must render or say why not. */
const templateText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '{{event.a}}',
        '{{#each event.list}}',
        '{{this}}',
        '{{/each}}',
        '{{#if event.a}}',
        '{{/if}}',
        '{{else}}',
        '{{',
        '}}',
        '{{{event.a}}}',
        '{{> layout}}',
        '{{json event}}',
        '{{date event.t}}',
        '{{default event.a "x"}}',
        '<a href="',
        '">',
        '<script>',
        '</script>',
        '<p title=',
        '{{truncate event.a 3}}',
        '{{!--',
        '--}}',
        '\\{{',
        '{{lookup event "constructor"}}',
        '{{number event.n}}',
        '{{money event.n "EUR"}}',
      ),
      nasty,
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''));

export const PURE_DOORS: readonly Door[] = [
  {
    name: 'explain',
    inputs: fc.record({ text: errorText }),
    async play(input) {
      const text = textOf(fieldsOf(input)['text']);
      const { matches } = explain(text);
      return { answer: matches.map(({ id }) => id).join(' '), bytes: text.length };
    },
  },
  {
    name: 'config',
    inputs: fc.oneof(
      fc.record({ value: fc.dictionary(setting, configValue, { maxKeys: 4 }) }),
      fc.record({
        text: fc.tuple(nasty, fc.nat(CONFIG_TEXT.length)).map(([words, at]) => CONFIG_TEXT.slice(0, at) + words + CONFIG_TEXT.slice(at)),
      }),
      fc.record({ text: nasty }),
    ),
    async play(input) {
      const { text, value } = fieldsOf(input);
      const given = typeof text === 'string' ? text : stringify(value ?? null);
      try {
        checkText('config/mailgrant.yaml', given);
        return { answer: 'valid', bytes: given.length };
      } catch (error) {
        if (!(error instanceof ConfigProblems)) throw error;
        assert.ok(error.message.length > 0);
        return { answer: shape(error.message), bytes: given.length };
      }
    },
  },
  {
    name: 'build',
    inputs: fc.record({
      template: templateText,
      subject: templateText,
      when: fc.oneof(fc.constantFrom('event.a', 'has(event.a) && event.a.exists(x, x > 1)', 'event.list.map(x, x)'), nasty),
      event: hostile,
    }),
    async play(input) {
      const { template, subject, when, event } = fieldsOf(input);
      const files = { 'one.hbs': `---\nsubject: ${textOf(subject).replaceAll('\n', ' ')}\n---\n${textOf(template)}` };
      const bytes = files['one.hbs'].length + textOf(when).length + textOf(event).length;
      let compiledText: ReturnType<typeof compileTexts>;
      try {
        compiledText = compileTexts({ one: { ...ROUTE, template: 'one', ...(when ? { when: textOf(when) } : {}) } }, files);
      } catch (error) {
        return { answer: `config ${shape((error as Error).message)}`, bytes };
      }
      const { module, problems } = compiledText;
      if (problems.length > 0) return { answer: shape(problems.join(' ')), bytes };
      const compiled = await load(module);
      try {
        const { subject: line, html } = mailOf(compiled, routeNamed('one', compiled), { data: event, attributes: {} });
        assert.doesNotMatch(String(line), /[\r\n]/);
        const marker = '<script>canary</script>';
        if (JSON.stringify(event ?? null).includes(marker) && !textOf(template).includes(marker))
          assert.ok(!String(html).includes(marker), 'markup of an event in the html');
        return { answer: 'rendered', bytes };
      } catch (error) {
        if (!(error instanceof MailFailure)) throw error;
        return { answer: shape(error.message), bytes };
      }
    },
  },
];
