/** `stop` and `start` against a gcloud that keeps the setting of each service. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramResult, Programs } from '../../../functions/cli/deploy/program.ts';
import { runStopCommand } from '../../../functions/cli/deploy/stop-command.ts';

const service = (name: string, stopped: boolean) => ({
  metadata: { name, labels: { 'cloud.googleapis.com/location': 'europe-west1' } },
  spec: { template: { spec: { containers: [{ env: [{ name: 'MAILGRANT_STOPPED', value: String(stopped) }] }] } } },
});

/** A project with these services; `broken` are those that gcloud cannot update. */
function gcloud(there: Record<string, boolean>, broken: readonly string[] = []) {
  const state = { ...there };
  const calls: string[] = [];
  const run: Programs = async (argv): Promise<ProgramResult> => {
    calls.push(argv.join(' '));
    if (argv.includes('list'))
      return { status: 0, stdout: JSON.stringify(Object.entries(state).map(([name, stopped]) => service(name, stopped))) };
    const name = argv[4] ?? '';
    if (broken.includes(name)) return { status: 1, stdout: '' };
    state[name] = argv.includes('--update-env-vars=MAILGRANT_STOPPED=true');
    return { status: 0, stdout: '' };
  };
  return { state, run, updates: () => calls.filter((one) => one.includes(' update ')).length };
}

const ALL = { 'mailgrant-api': false, 'mailgrant-worker': false, 'mailgrant-hooks': false, 'mailgrant-watch': false, other: false };
const terminal = (answer: boolean | null) => ({
  interactive: answer !== null,
  say: () => {},
  ask: async () => null,
  agree: async () => answer === true,
  open: async () => false,
});
const P = { project: 'acme-mail' };

test('stop sets the switch of all that send, and of nothing else; start takes it back; twice is once', async () => {
  const own = gcloud(ALL);
  const surroundings = { run: own.run, terminal: terminal(true) };
  for (const updates of [3, 3]) {
    assert.equal((await runStopCommand(P, 'stop', {}, surroundings)).exitCode ?? 0, 0);
    assert.deepEqual(own.state, { ...ALL, 'mailgrant-api': true, 'mailgrant-worker': true, 'mailgrant-hooks': true });
    assert.equal(own.updates(), updates);
  }
  assert.equal((await runStopCommand(P, 'start', {}, surroundings)).exitCode ?? 0, 0);
  assert.deepEqual([own.state, own.updates()], [ALL, 6]);
});

test('a deployment without hooks, and one of another prefix', async () => {
  const own = gcloud({ 'post-api': false, 'post-worker': false });
  const { data } = await runStopCommand({ ...P, prefix: 'post', yes: true }, 'stop', {}, { run: own.run, terminal: terminal(null) });
  assert.deepEqual(
    [own.state, (data as { services: { name: string }[] }).services.map(({ name }) => name)],
    [{ 'post-api': true, 'post-worker': true }, ['post-worker', 'post-api']],
  );
});

test('a dry run names the commands and changes nothing', async () => {
  const own = gcloud(ALL);
  const { data, text } = await runStopCommand({ ...P, 'dry-run': true }, 'stop', {}, { run: own.run, terminal: terminal(null) });
  assert.equal(own.updates(), 0);
  for (const command of (data as { commands: string[] }).commands) assert.ok(text.includes(command));
});

const refused = [
  { name: 'nobody can be asked', own: gcloud(ALL), answer: null, options: P, code: 'confirmation_missing', updates: 0 },
  { name: 'the answer is no', own: gcloud(ALL), answer: false, options: P, code: 'confirmation_missing', updates: 0 },
  { name: 'no project is named', own: gcloud(ALL), answer: true, options: {}, code: 'project_missing', updates: 0 },
  { name: 'the prefix is another', own: gcloud(ALL), answer: true, options: { ...P, prefix: 'x' }, code: 'services_missing', updates: 0 },
  {
    name: 'one of them is not updated',
    own: gcloud(ALL, ['mailgrant-api']),
    answer: true,
    options: P,
    code: 'stop_incomplete',
    updates: 3,
  },
];
for (const { name, own, answer, options, code, updates } of refused)
  test(`stop is refused where ${name}: ${code}`, async () => {
    const { error, exitCode } = await runStopCommand(options, 'stop', {}, { run: own.run, terminal: terminal(answer) });
    assert.deepEqual([error?.code, exitCode !== 0, own.updates()], [code, true, updates]);
  });

test('a gcloud that is missing, signed out or of another mind is said', async () => {
  for (const result of [
    { status: null, stdout: '' },
    { status: 1, stdout: '' },
    { status: 0, stdout: 'canary' },
  ]) {
    const { error } = await runStopCommand(P, 'stop', {}, { run: async () => result, terminal: terminal(true) });
    assert.equal(error?.code, 'services_missing');
  }
});
