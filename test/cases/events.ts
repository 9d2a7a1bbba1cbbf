/** Situations of documents, topics and alerts. */
import assert from 'node:assert/strict';
import { sample } from '../support/stack/samples.ts';
import type { Case, Played } from './rows.ts';

type Fields = Record<string, unknown>;
const sent = ({ status, mail, dead }: Played): void => assert.deepEqual([status, mail !== null, dead], [200, true, []]);
const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `u${index}@example.net`);
const says = (played: Played, ...patterns: RegExp[]): void => {
  sent(played);
  for (const pattern of patterns) assert.match(played.mail?.text ?? '', pattern);
};

const MESSAGE = { subject: 'S', text: 'T' };
const PLAIN = { from: 'notices@example.com', to: 'you@example.net', subject: 'S', text: 'T' };
const run = sample('github-workflow-run') as { workflow_run: Fields };
const alerts = sample('alertmanager') as { alerts: Fields[] };
const grafana = sample('grafana') as { alerts: Fields[] };
const { truncatedAlerts: _, ...old } = alerts as Fields;

export const EVENTS: readonly Case[] = [
  {
    id: 'more recipients than Resend has in one field',
    reported: 'DOC50',
    doors: ['documents'],
    input: { bcc: many(60), message: MESSAGE },
    right(played) {
      sent(played);
      assert.deepEqual(played.recipients, many(60));
    },
  },
  {
    id: 'a file beside a template',
    reported: 'TPLATT',
    doors: ['documents'],
    input: {
      to: 'a@example.net',
      template: {
        name: 'scheduler-tick',
        data: { title: 'Hi', text: 'x' },
        attachments: [{ filename: 'i.pdf', content: 'JVBERg==', encoding: 'base64' }],
      },
    },
    right(played) {
      sent(played);
      const [file] = played.mail?.attachments ?? [];
      assert.deepEqual([file?.filename, file?.content.toString()], ['i.pdf', '%PDF']);
    },
  },
  {
    id: 'headers of nodemailer in a message',
    reported: 'MSGHD',
    doors: ['documents'],
    input: {
      to: 'a@example.net',
      message: { ...MESSAGE, headers: { 'X-A': '1' }, list: { unsubscribe: 'https://x.example/u' }, priority: 'high' },
    },
    right(played) {
      sent(played);
      for (const header of [/^X-A: 1\r$/m, /^List-Unsubscribe: <https:\/\/x\.example\/u>\r$/m, /^X-Priority: 1/m, /^Importance: High\r$/im])
        assert.match(played.raw, header);
    },
  },
  {
    id: 'a run that ended before it began',
    reported: 'NEGDUR',
    doors: ['hook', 'route'],
    input: {
      route: 'github-workflow-run',
      event: {
        ...run,
        workflow_run: {
          ...run.workflow_run,
          conclusion: 'failure',
          run_started_at: '2026-11-24T08:05:00Z',
          updated_at: '2026-11-24T08:04:59Z',
        },
      },
    },
    right: (played) => {
      says(played, /main/);
      assert.doesNotMatch(played.mail?.text ?? '', /-\d+ s/);
    },
  },
  {
    id: 'a group of an older Alertmanager',
    reported: 'AMOLD',
    doors: ['hook', 'route'],
    input: {
      route: 'alertmanager',
      event: {
        ...old,
        version: '4',
        alerts: alerts.alerts.map(({ annotations, ...alert }, index) => ({ ...alert, ...(index === 0 && { annotations }) })),
      },
    },
    right: (played) => says(played, /HighErrorRate|High/),
  },
  {
    id: 'an alert about data that is missing',
    reported: 'GRNULL',
    doors: ['hook', 'route'],
    input: {
      route: 'grafana',
      event: { ...grafana, alerts: grafana.alerts.map((alert) => ({ ...alert, values: { A: null, B: 1 } })) },
    },
    right: (played) => says(played, /A\W+-/, /B\W+1/),
  },
  {
    id: 'an email with a wrong field on a topic',
    reported: 'PUBNOWHY',
    doors: ['push'],
    input: {
      message: {
        messageId: 'why-1',
        data: Buffer.from(JSON.stringify({ ...PLAIN, to: 'Jane Doe jane@example.net' })).toString('base64'),
      },
      subscription: 'projects/laptop/subscriptions/x',
    },
    right({ status, mail, dead, logged }) {
      assert.deepEqual([status, mail], [204, null]);
      assert.match(dead[0] ?? '', /^request_invalid .*`to`/);
      assert.match(logged, /"fields":"to"/);
      assert.doesNotMatch(logged, /jane/i);
    },
  },
  {
    id: 'a payload without its envelope',
    reported: 'UNWRAP',
    doors: ['push'],
    input: PLAIN,
    right({ status, mail, dead, logged }) {
      assert.deepEqual([status, mail], [204, null]);
      assert.match(dead[0] ?? '', /payload unwrapping/);
      assert.match(logged, /payload unwrapping/);
    },
  },
];
