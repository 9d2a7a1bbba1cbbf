/** What publishers send besides their samples: none of it may cost the email, or say the wrong thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlToText } from '../../functions/mail/mime/html-to-text.ts';
import { mailOf } from '../../functions/notify/event-email.ts';
import { routeNamed } from '../../functions/notify/handle-event.ts';
import { compileShipped, sample } from '../support/stack/samples.ts';

type Fields = Record<string, unknown>;
const within = (name: string, part: string, change: Fields): Fields => {
  const whole = sample(name);
  return { ...whole, [part]: { ...(whole[part] as Fields), ...change } };
};
const alert = (name: string, change: Fields): Fields => {
  const whole = sample(name);
  return { ...whole, alerts: (whole['alerts'] as Fields[]).map((one) => ({ ...one, ...change })) };
};

const rows: readonly { of: string; template: string; data: Fields; attributes?: Record<string, string>; subject: RegExp; text: RegExp }[] =
  [
    {
      of: 'the test notification of a Cloud Monitoring channel, whose state is in capitals and whose documentation is a text',
      template: 'monitoring-incident',
      data: within('monitoring-incident', 'incident', {
        incident_id: '12345',
        url: 'http://www.example.com',
        state: 'OPEN',
        started_at: 0,
        ended_at: 0,
        severity: undefined,
        policy_name: 'projects/12345/alertPolicies/12345',
        documentation: 'Test documentation',
      }),
      subject: /^Alert: projects/,
      text: /incident open/,
    },
    {
      of: 'an incident without severity',
      template: 'monitoring-incident',
      data: within('monitoring-incident', 'incident', { severity: 'no severity', metadata: null }),
      subject: /^Alert: Checkout/,
      text: /Open the incident/,
    },
    {
      of: 'a workflow run of a commit that is on no branch',
      template: 'github-workflow-run',
      data: within('github-workflow-run', 'workflow_run', { head_branch: null, head_commit: null, name: null }),
      subject: /^CI failure: example\/shop$/,
      text: /Failure/,
    },
    {
      of: 'a workflow run that has only begun',
      template: 'github-workflow-run',
      data: { ...within('github-workflow-run', 'workflow_run', { conclusion: null, status: 'in_progress' }), action: 'in_progress' },
      subject: /^CI in_progress: /,
      text: /In.progress/i,
    },
    {
      of: 'a release without words',
      template: 'github-release',
      data: within('github-release', 'release', { name: null, body: null, published_at: null, assets: [] }),
      subject: /v2\.4\.0 is released/,
      text: /v2\.4\.0/,
    },
    {
      of: 'a Cloud Storage notification with payload NONE, of which only attributes are there',
      template: 'storage-object',
      data: {},
      attributes: { eventType: 'OBJECT_FINALIZE', bucketId: 'exports', objectId: 'orders/a b.csv', payloadFormat: 'NONE' },
      subject: /^a b\.csv in exports$/,
      text: /exports\/orders%2Fa%20b\.csv/,
    },
    {
      of: 'a tag that was deleted',
      template: 'artifact-registry',
      data: { action: 'DELETE', tag: 'europe-west1-docker.pkg.dev/example-shop/images/checkout:1.14.0' },
      subject: /deleted checkout:1\.14\.0/,
      text: /was deleted/,
    },
    {
      of: 'an alert of Prometheus with a runbook that is no address and a description of two lines',
      template: 'alertmanager',
      data: {
        ...alert('alertmanager', { annotations: { description: 'one\ntwo', runbook_url: 'wiki/runbook' } }),
        commonAnnotations: { runbook_url: 'wiki/runbook' },
      },
      subject: /^\[FIRING\] HighErrorRate$/,
      text: /one\ntwo[\s\S]*What to do: wiki\/runbook/,
    },
    {
      of: 'alerts that have neither labels nor annotations in common',
      template: 'alertmanager',
      data: { ...alert('alertmanager', { annotations: {} }), commonLabels: {}, commonAnnotations: {} },
      subject: /^\[FIRING\] HighErrorRate$/,
      text: /checkout-7c9d/,
    },
    {
      of: 'an alert of Grafana for want of data',
      template: 'grafana',
      data: alert('grafana', { values: null, panelURL: '', silenceURL: '', annotations: {} }),
      subject: /FIRING/,
      text: /Open Grafana/,
    },
    {
      of: 'a finding with the least that a finding has',
      template: 'security-finding',
      data: {
        notificationConfigName: 'organizations/1/locations/global/notificationConfigs/all',
        finding: {
          name: 'a/findings/b',
          resourceName: '//x',
          state: 'ACTIVE',
          category: 'OPEN_FIREWALL',
          eventTime: '2026-11-24T07:58:30Z',
        },
        resource: { name: '//x' },
      },
      subject: /^Finding: Open firewall$/,
      text: /OPEN_FIREWALL/,
    },
    {
      of: 'a budget message that tells no threshold',
      template: 'budget-alert',
      data: { ...sample('budget-alert'), alertThresholdExceeded: undefined },
      subject: /462\.35/,
      text: /Spent/,
    },
  ];

for (const { of, template, data, attributes = {}, subject, text } of rows)
  test(`${of} is a mail`, async () => {
    const compiled = await compileShipped();
    const mail = mailOf(compiled, routeNamed(template, compiled), { data: JSON.parse(JSON.stringify(data)), attributes });
    assert.match(String(mail['subject']), subject);
    assert.match(htmlToText(String(mail['html'])), text);
  });
