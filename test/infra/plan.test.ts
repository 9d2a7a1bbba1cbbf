/** What infra/ plans, held against the code that it deploys: names, environment, secrets, and the log lines that alerts look for. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { DEPLOYABLES } from '../../functions/cli/build/build.ts';
import { checkConfig } from '../../functions/config/schema.ts';
import { KEEP_MS } from '../../functions/mail/delivery/claim.ts';
import { outcomeOf } from '../../functions/mail/delivery/outcome.ts';
import { AHEAD_MAX_MS } from '../../functions/mail/message/scheduled-at.ts';
import { type FailureCode, MailFailure } from '../../functions/mail/model/failure.ts';
import { FAILURES } from '../../functions/mail/model/failure-table.ts';
import { type Finding, inspectionOf } from '../../functions/mail/model/inspection.ts';
import { DELIVERIES_MAX } from '../../functions/mail/queue/retry-policy.ts';
import { createLog, type Log } from '../../functions/runtime/log.ts';
import { checkSettings, ENVIRONMENT } from '../../functions/runtime/settings.ts';
import { reportOutcome, reportRefusal } from '../../functions/trigger/common/report.ts';
import { grantWatch } from '../../functions/trigger/grant-watch.ts';
import { skipUnless } from '../support/programs/emulators.ts';
import { fixture, hasTerraform, type Plan, plan } from '../support/programs/terraform.ts';
import { type LogEntry, readFilter } from '../support/stack/log-filter.ts';

const skip = skipUnless(hasTerraform, 'terraform with MAILGRANT_TERRAFORM_OFFLINE');

/** Addresses whose secrets are named by both sides. */
const ADDRESSES = [
  'notices@example.com',
  'First.Last@Example.COM',
  'a+b@example.com',
  "o'neil_x=y@sub.example.co.uk",
  '0@1.example',
  'post@bücher.example',
  'x--y@example.com',
];
const TABLE = `mailboxes:\n${ADDRESSES.map((address) => `  ${JSON.stringify(address)}: {}\n`).join('')}  named@example.com: { secret: of-its-own }\n`;

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the plan and the code', { skip }, () => {
  let full: Plan;
  let table: Plan;
  before(async () => {
    writeFileSync(join(folder, 'table.yaml'), TABLE);
    [full, table] = await Promise.all([plan(fixture('full')), plan(join(folder, 'table.yaml'))]);
  });
  const of = (type: string, from = full): Plan['resources'] => from.resources.filter((one) => one.type === type);
  const functions = (): { name: string; build: Record<string, unknown>; service: Record<string, unknown> }[] =>
    of('google_cloudfunctions2_function').map(({ address, values }) => ({
      name: /\["(\w+)"\]$/.exec(address)?.[1] ?? '',
      build: (values['build_config'] as Record<string, unknown>[])[0] ?? {},
      service: (values['service_config'] as Record<string, unknown>[])[0] ?? {},
    }));
  const environment = (service: Record<string, unknown>): Record<string, string> =>
    service['environment_variables'] as Record<string, string>;

  test('every function that is built is deployed under its own name, and its entry point is what its bundle registers', () => {
    const planned = functions();
    assert.deepEqual(planned.map(({ name }) => name).sort(), [...DEPLOYABLES].sort());
    for (const name of DEPLOYABLES) {
      assert.equal(planned.find((one) => one.name === name)?.build['entry_point'], name);
      assert.match(readFileSync(`functions/${name}.ts`, 'utf8'), new RegExp(`^http\\('${name}', `, 'm'));
    }
  });

  test('the environment holds only what functions read, and everything of it that is no matter of development', () => {
    const set = new Set(functions().flatMap(({ service }) => Object.keys(environment(service))));
    const read = Object.keys(ENVIRONMENT);
    assert.deepEqual(
      [...set].filter((name) => !read.includes(name)),
      [],
    );
    const meant = Object.entries(ENVIRONMENT).filter(([name, about]) => !about.includes('development') && name !== 'MAILGRANT_SMTP_URL');
    assert.deepEqual(
      meant.map(([name]) => name).filter((name) => !set.has(name)),
      [],
    );
  });

  test('what names functions in its description is set for those functions and no others', () => {
    const all = functions().map(({ name }) => name);
    for (const [name, about] of Object.entries(ENVIRONMENT)) {
      const named = /\(((?:(?:api|worker|hooks|watch)(?:, |;))+)/.exec(about)?.[1]?.match(/\w+/g);
      if (!named || about.includes('development')) continue;
      const set = functions().flatMap((one) => (name in environment(one.service) ? [one.name] : []));
      assert.deepEqual(set.sort(), named.filter((one) => all.includes(one)).sort(), name);
    }
  });

  test('every function starts with the environment it is given, and answers before its time is up', () => {
    const { config } = checkConfig({ delivery: 'queued', mailboxes: { 'notices@example.com': {} } });
    assert.ok(config);
    for (const { name, service } of functions()) {
      const { pushAudience, trustIam, deadlineMs, database } = checkSettings(
        environment(service),
        config,
        [],
        name === 'watch' ? null : 'queue',
      );
      assert.equal(deadlineMs / 1000 + 10, service['timeout_seconds'], name);
      assert.deepEqual(
        [name, database, trustIam, pushAudience !== null],
        [name, 'projects/acme-mail-prod/databases/mailgrant', name === 'api', name === 'worker'],
      );
    }
  });

  test('the acknowledgement deadline is longer than worker works, and the audience is what worker expects', () => {
    const worker = functions().find(({ name }) => name === 'worker')?.service ?? {};
    const pushes = of('google_pubsub_subscription').filter(({ values }) => (values['push_config'] as unknown[]).length > 0);
    assert.equal(pushes.length, 4);
    for (const { name, values } of pushes) {
      const [push] = values['push_config'] as { push_endpoint: string; oidc_token: { audience: string }[] }[];
      const audience = environment(worker)['MAILGRANT_PUSH_AUDIENCE'] ?? '';
      assert.equal(push?.oidc_token[0]?.audience, audience);
      assert.ok(
        [audience, `${audience}/inbox`].includes(push?.push_endpoint ?? '') || push?.push_endpoint.startsWith(`${audience}/routes/`),
      );
      const letters = values['dead_letter_policy'] as { max_delivery_attempts: number }[];
      assert.equal(letters[0]?.max_delivery_attempts, name === 'inbox' ? undefined : DELIVERIES_MAX);
      assert.ok(Number(values['ack_deadline_seconds']) > Number(worker['timeout_seconds']));
    }
  });

  test('what the ledger keeps goes by a TTL in every collection that is written, and nothing asks for an index that is not there', () => {
    const written = new Set<string>();
    for (const file of readdirSync('functions/google/firestore')) {
      const text = readFileSync(join('functions/google/firestore', file), 'utf8');
      for (const [, collection = ''] of text.matchAll(/(?:\$\{root\}\/|`)(\w+)\/\$\{/g)) written.add(collection);
      if (file !== 'firestore-query.ts')
        assert.doesNotMatch(text, /orderBy|compositeFilter/, `${file}: needs a composite index, which infra/ does not make`);
    }
    const query = readFileSync('functions/google/firestore/firestore-query.ts', 'utf8');
    assert.equal([...query.matchAll(/orderBy:/g)].length, 1);
    assert.match(query, /fieldPath: 'caller' \}, op: 'EQUAL'[\s\S]*fieldPath: 'acceptedAt' \}, direction \}/);
    const indexes = of('google_firestore_index').map(({ values }) => [
      values['collection'],
      (values['fields'] as { field_path: string; order: string }[]).map(({ field_path, order }) => `${field_path} ${order}`),
    ]);
    assert.deepEqual(indexes.toSorted(), [
      ['mails', ['caller ASCENDING', 'acceptedAt ASCENDING']],
      ['mails', ['caller ASCENDING', 'acceptedAt DESCENDING']],
    ]);
    const fields = of('google_firestore_field').filter(({ values }) => values['field'] === 'expireAt');
    assert.deepEqual(fields.map(({ values }) => values['collection']).sort(), [...written].sort());
  });

  test('what lies in the bucket outlives the time that an email may wait and be known', () => {
    const content = of('google_storage_bucket').find(({ name }) => name === 'content')?.values ?? {};
    const [rule] = content['lifecycle_rule'] as { condition: { age: number }[] }[];
    assert.ok(Number(rule?.condition[0]?.age) * 24 * 3_600_000 > AHEAD_MAX_MS + KEEP_MS);
  });

  test('Terraform makes the same secrets of addresses as the functions do', () => {
    const { config, problems } = checkConfig({
      mailboxes: { ...Object.fromEntries(ADDRESSES.map((address) => [address, {}])), 'named@example.com': { secret: 'of-its-own' } },
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      of('google_secret_manager_secret', table)
        .map(({ values }) => values['secret_id'])
        .sort(),
      config?.mailboxes.map(({ secret }) => secret).sort(),
    );
  });

  // ---- what is logged, and who is told

  /** Real lines of our own code, as Cloud Run hands them on. */
  async function entries(write: (log: Log) => unknown, service = 'mailgrant-worker'): Promise<LogEntry[]> {
    const lines: string[] = [];
    await write(createLog((line) => lines.push(line)));
    return lines.map((line) => {
      const { severity, ...jsonPayload } = JSON.parse(line) as Record<string, unknown>;
      return { resource: { type: 'cloud_run_revision', labels: { service_name: service } }, severity: String(severity), jsonPayload };
    });
  }
  const failed = (code: FailureCode) => (log: Log) => reportOutcome(log, outcomeOf(new MailFailure(code, 'x'), 'id', 0), {});
  const watch =
    (...findings: Finding[]) =>
    (log: Log): Promise<void> => {
      const edge = { project: 'p', inspectAll: async () => [inspectionOf('a@example.com', findings)], pseudonym: () => 'mailbox:1' };
      const reply = { writeHead: () => ({ end: () => {} }) };
      return grantWatch(edge, log)({ headers: {} } as never, reply as never);
    };
  const finding = (ok: boolean, code: FailureCode | null): Finding => ({ check: 'token', ok, code, detail: 'x' });
  const broken = (log: Log): Promise<void> => {
    const edge = { project: 'p', inspectAll: () => Promise.reject(new Error('x')), pseudonym: () => '' };
    return grantWatch(edge, log)({ headers: {} } as never, { writeHead: () => ({ end: () => {} }) } as never);
  };

  const lines: readonly { name: string; write: (log: Log) => unknown; service?: string; alerts: string[]; metrics: string[] }[] = [
    {
      name: 'a sent mail',
      write: (log) => reportOutcome(log, { state: 'sent', id: 'i', gmailId: 'g' }, {}),
      alerts: [],
      metrics: ['mails'],
    },
    { name: 'a mail that Gmail refused', write: failed('mail_refused'), alerts: [], metrics: ['mails'] },
    { name: 'a mail to try again', write: failed('google_unavailable'), alerts: [], metrics: ['mails'] },
    { name: 'a parked mail', write: failed('quota_daily'), alerts: [], metrics: ['mails'] },
    {
      name: 'a mail of a dead grant',
      write: failed('grant_revoked'),
      service: 'mailgrant-api',
      alerts: ['dead_grant'],
      metrics: ['mails'],
    },
    { name: 'a mail of a mailbox without a grant', write: failed('grant_missing'), alerts: ['dead_grant'], metrics: ['mails'] },
    { name: 'a mail of a delegate that may not sign', write: failed('delegate_refused'), alerts: ['dead_grant'], metrics: ['mails'] },
    {
      name: 'an order that the ledger is closed to',
      write: (log) => reportRefusal(log, new MailFailure('identity_refused', 'x'), {}),
      alerts: ['set_up'],
      metrics: ['refused'],
    },
    { name: 'an unknown mail', write: failed('delivery_unknown'), alerts: ['unknown'], metrics: ['mails'] },
    {
      name: 'a refused order',
      write: (log) => reportRefusal(log, new MailFailure('key_invalid', 'x'), {}),
      alerts: [],
      metrics: ['refused'],
    },
    { name: 'a grant that is well', write: watch(finding(true, null)), service: 'mailgrant-watch', alerts: [], metrics: [] },
    {
      name: 'a grant that is dead',
      write: watch(finding(false, 'grant_revoked')),
      service: 'mailgrant-watch',
      alerts: ['dead_grant'],
      metrics: [],
    },
    {
      name: 'emails that wait for a message that does not come',
      write: (log) => {
        const edge = { project: 'p', inspectAll: async () => [], overdue: async () => 2, pseudonym: () => '' };
        return grantWatch(edge, log)({ headers: {} } as never, { writeHead: () => ({ end: () => {} }) } as never);
      },
      service: 'mailgrant-watch',
      alerts: ['overdue'],
      metrics: [],
    },
    {
      name: 'a grant by which bounces cannot be found',
      write: watch({ ...finding(false, 'bounces_unreadable'), check: 'bounces' }),
      service: 'mailgrant-watch',
      alerts: ['bounces'],
      metrics: [],
    },
    { name: 'a watch that failed', write: broken, service: 'mailgrant-watch', alerts: ['watch_failed'], metrics: [] },
    {
      name: 'a refresh token that was not kept',
      write: (log) => log('WARNING', eventIn('functions/google/auth/write-back.ts', /notice\('(\w+)'/), {}),
      alerts: ['not_written_back'],
      metrics: [],
    },
    { name: 'the same line of another service', write: failed('grant_revoked'), service: 'shop', alerts: [], metrics: [] },
  ];
  const eventIn = (file: string, pattern: RegExp): string => pattern.exec(readFileSync(file, 'utf8'))?.[1] ?? 'not there';
  const named = (type: string, name: string): [string, (entry: LogEntry) => boolean][] =>
    of(type)
      .filter((one) => one.name === name || type === 'google_logging_metric')
      .map(({ address, name, values }) => {
        const [condition] = (values['conditions'] as { condition_matched_log: { filter: string }[] }[] | undefined) ?? [];
        return [
          /\["(\w+)"\]$/.exec(address)?.[1] ?? name,
          readFilter(condition?.condition_matched_log[0]?.filter ?? String(values['filter'])),
        ];
      });

  for (const { name, write, service, alerts, metrics } of lines)
    test(`${name}: ${[...alerts, ...metrics].join(', ') || 'nobody is told'}`, async () => {
      const all = await entries(write, service);
      assert.ok(all.length > 0);
      const hit = (some: [string, (entry: LogEntry) => boolean][]): string[] =>
        some.filter(([, matches]) => all.some(matches)).map(([title]) => title);
      assert.deepEqual(hit(named('google_monitoring_alert_policy', 'log')), alerts);
      assert.deepEqual(hit(named('google_logging_metric', '')), metrics);
    });

  test('a start that is refused, and a schedule that did not run', () => {
    let said = '';
    try {
      checkSettings({}, { mailboxes: [], keys: [], ledger: { addresses: 'hashed' } } as never);
    } catch (error) {
      said = (error as Error).message;
    }
    const alerts = named('google_monitoring_alert_policy', 'log');
    const hit = (entry: LogEntry): string[] => alerts.filter(([, matches]) => matches(entry)).map(([title]) => title);
    const service = { type: 'cloud_run_revision', labels: { service_name: 'mailgrant-api' } };
    const job = { type: 'cloud_scheduler_job', labels: { job_id: 'mailgrant-watch' } };
    assert.deepEqual(hit({ resource: service, severity: 'DEFAULT', textPayload: `Error: ${said}` }), ['not_started']);
    assert.deepEqual(hit({ resource: job, severity: 'ERROR', jsonPayload: {} }), ['watch_failed']);
    assert.deepEqual(hit({ resource: job, severity: 'INFO', jsonPayload: {} }), []);
  });

  test('whatever only an operator can mend is told, once', async () => {
    const alerts = named('google_monitoring_alert_policy', 'log');
    // `stopped` is what an operator has asked for.
    const codes = Object.entries(FAILURES).flatMap(([code, { blame }]) =>
      blame === 'operator' && code !== 'stopped' ? [code as FailureCode] : [],
    );
    assert.ok(codes.length > 15);
    for (const code of codes)
      for (const write of [failed(code), (log: Log) => reportRefusal(log, new MailFailure(code, 'x'), {})]) {
        const all = await entries(write);
        const told = alerts.filter(([, matches]) => all.some(matches)).map(([title]) => title);
        assert.ok(told.length === 1 && ['dead_grant', 'set_up'].includes(told[0] ?? ''), `${code}: ${told.join(', ') || 'nobody'}`);
      }
  });

  test('every alert on log lines was seen to fire', () => {
    const fired = new Set([...lines.flatMap(({ alerts }) => alerts), 'not_started']);
    assert.deepEqual(
      named('google_monitoring_alert_policy', 'log')
        .map(([title]) => title)
        .sort(),
      [...fired].sort(),
    );
  });

  test('codes in filters are codes of the table, and the rate is asked of a metric and a label that exist', () => {
    const text = of('google_monitoring_alert_policy')
      .map(({ values }) => JSON.stringify(values['conditions']))
      .join('\n');
    const patterns = [...text.matchAll(/jsonPayload\.code=~\\+"\^\(([^)]*)\)/g)].map(([, pattern = '']) => pattern);
    assert.equal(patterns.length, 2);
    for (const part of patterns.join('|').split('|')) assert.ok(part && Object.keys(FAILURES).some((code) => code.startsWith(part)), part);
    const [, metric, labels = ''] = /logging_googleapis_com:user_(\w+)\{([^}]*)\}/.exec(text) ?? [];
    const mails = of('google_logging_metric').find(({ values }) => String(values['name']).replace(/\W/g, '_') === metric);
    const has =
      (mails?.values['metric_descriptor'] as { labels: { key: string }[] }[] | undefined)?.[0]?.labels.map(({ key }) => key) ?? [];
    for (const [, label = ''] of labels.matchAll(/(\w+)=/g)) assert.ok(['monitored_resource', ...has].includes(label), label);
  });
});

test('every config that Terraform is tested with is one that the functions take', () => {
  for (const name of ['minimal', 'delegated', 'keyed', 'queued', 'full'])
    assert.deepEqual(checkConfig(parse(readFileSync(fixture(name), 'utf8'))).problems, [], name);
});
