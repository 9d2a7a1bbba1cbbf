/**
 * Each call that a command about grants makes, lost before it took effect, lost after it, refused, unanswered from then on, or
 * interrupted by Ctrl-C: what the command says equals what is there. The rows come from the calls of a good run, so that a new
 * call is covered by itself.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Door, Fault, Faults } from '../../../functions/fake-google/faults/faults.ts';
import { scopeFor } from '../../../functions/mail/model/scopes.ts';
import { sampled } from '../../support/deep.ts';
import { PROJECT } from '../../support/stack/laptop.ts';
import { type Desk, type Line, NOTICES, type Ran, SECRET_ID, startDesk } from '../../support/stack/operator.ts';

/** What an operator can find: the versions of the secret, and the grants that live at Google. */
interface State {
  readonly secret: boolean;
  /** By number: the state, and the refresh token. */
  readonly versions: ReadonlyMap<number, { readonly state: string; readonly token: string }>;
  readonly alive: ReadonlySet<string>;
}

function stateIn(file: string): State {
  using db = new DatabaseSync(file, { readOnly: true });
  const name = `projects/${PROJECT}/secrets/${SECRET_ID}`;
  const rows = db.prepare('SELECT number, data, state FROM versions WHERE secret = ?').all(name) as {
    number: number;
    data: Uint8Array;
    state: string;
  }[];
  const tokenOf = (data: Uint8Array): string => (JSON.parse(Buffer.from(data).toString()) as { refresh_token: string }).refresh_token;
  const alive = db.prepare('SELECT refresh_token AS token FROM grants WHERE revoked = 0').all() as { token: string }[];
  return {
    secret: db.prepare('SELECT 1 FROM secrets WHERE name = ?').get(name) !== undefined,
    versions: new Map(rows.map(({ number, data, state }) => [number, { state, token: tokenOf(data) }])),
    alive: new Set(alive.map(({ token }) => token)),
  };
}

interface Scenario {
  readonly name: string;
  readonly verb: 'authorize' | 'rotate' | 'revoke';
  readonly line: (desk: Desk) => Line;
  readonly before?: (desk: Desk) => Promise<unknown>;
  /** What a command that says ok has brought about. */
  readonly done: (before: State, after: State, data: Record<string, unknown>) => void;
}

const withClient = (desk: Desk, options: Line['options'] = {}): Line => ({ options: { client: desk.clientFile, ...options } });
const consented = (desk: Desk) => desk.run('authorize', withClient(desk));
/** Stores a grant of the other OAuth client, as a version. */
const otherClient = async ({ google }: Desk): Promise<void> => {
  const { client_id } = google.clients.file('web')['web'] as { client_id: string };
  const web = google.clients.find(client_id);
  assert.ok(web);
  const refresh_token = google.oauth.consent(web, NOTICES, [scopeFor('api')]);
  google.storeSecret(PROJECT, SECRET_ID, JSON.stringify({ client_id, client_secret: web.secret, refresh_token, address: NOTICES }));
};
const enabledIn = ({ versions }: State): number[] => [...versions].flatMap(([number, { state }]) => (state === 'ENABLED' ? [number] : []));
const lives = (state: State, number: number): boolean => state.alive.has(state.versions.get(number)?.token ?? '');

const added: Scenario['done'] = (before, after, { version, created }) => {
  assert.deepEqual([...after.versions.keys()], [...before.versions.keys(), version]);
  assert.deepEqual([after.versions.get(Number(version))?.state, lives(after, Number(version)), created], ['ENABLED', true, !before.secret]);
};
const replaced: Scenario['done'] = (before, after, data) => {
  added(before, after, data);
  assert.deepEqual([enabledIn(after), data['disabled']], [[data['version']], enabledIn(before).reverse()]);
};
const othersEnded: Scenario['done'] = (before, after, data) => {
  replaced(before, after, data);
  assert.deepEqual([...after.alive], [after.versions.get(Number(data['version']))?.token]);
};
const ended: Scenario['done'] = (_, after) => assert.deepEqual([enabledIn(after), [...after.alive]], [[], []]);

const SCENARIOS: readonly Scenario[] = [
  { name: 'the first authorize', verb: 'authorize', line: withClient, done: added },
  { name: 'another authorize', verb: 'authorize', before: consented, line: () => ({}), done: added },
  {
    name: 'rotate',
    verb: 'rotate',
    before: consented,
    line: () => ({}),
    done: replaced,
  },
  {
    name: 'rotate --end-others',
    verb: 'rotate',
    before: otherClient,
    line: (desk) => withClient(desk, { 'end-others': true }),
    done: othersEnded,
  },
  {
    name: 'revoke',
    verb: 'revoke',
    before: async (desk) => [await otherClient(desk), await consented(desk)],
    line: () => ({ options: { yes: true } }),
    done: ended,
  },
  {
    name: 'revoke --all',
    verb: 'revoke',
    before: async (desk) => [await otherClient(desk), await desk.run('rotate', withClient(desk, { 'keep-others': true }))],
    line: () => ({ options: { yes: true, all: true } }),
    done: ended,
  },
];

const REFUSALS: Readonly<Partial<Record<Door, Omit<Fault, 'on'>>>> = {
  identity: { status: 404 },
  secret: { answer: 'permission_denied' },
  token: { answer: 'invalid_grant' },
  revoke: { status: 403 },
};
const WAYS = {
  'lost before it takes effect': (_: Door, after: number) => (after === 0 ? { reset: 'before' } : null),
  'lost after it took effect': (_: Door, after: number) => (after === 0 ? { reset: 'after' } : null),
  refused: (door: Door, after: number) => (after === 0 ? (REFUSALS[door] ?? null) : null),
  'lost before, and nothing answers any more': () => ({ reset: 'before' }),
  'lost after, and nothing answers any more': (_: Door, after: number) => ({ reset: after === 0 ? 'after' : 'before' }),
  'under way at Ctrl-C': (_: Door, after: number) => void (after === 0 && process.emit('SIGINT')),
} as const satisfies Record<string, (door: Door, after: number) => Omit<Fault, 'on'> | null | undefined>;
type Way = keyof typeof WAYS;

/** Faults that count the calls of the command while they are armed, and let the one of that number, and those after it, go wrong. */
function counting() {
  let seen: Door[] | null = null;
  let plan: { readonly at: number; readonly way: Way } | null = null;
  const faults: Faults = {
    script: () => assert.fail('these faults are counted'),
    clear: () => {},
    pending: () => [],
    take(door) {
      if (!seen || door === 'consent') return undefined; // the person's, in the browser
      const number = seen.push(door) - 1;
      const fault = plan && number >= plan.at ? WAYS[plan.way](door, number - plan.at) : null;
      return fault ? ({ on: door, ...fault } as Fault) : undefined;
    },
  };
  return {
    faults,
    arm: (at = Number.POSITIVE_INFINITY, way: Way = 'refused') => {
      seen = [];
      plan = { at, way };
    },
    disarm: (): readonly Door[] => {
      const calls = seen ?? [];
      seen = null;
      return calls;
    },
  };
}

async function play({ verb, line, before: prepare }: Scenario, at?: number, way?: Way) {
  const counted = counting();
  const file = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'google.sqlite');
  await using desk = await startDesk({ faults: counted.faults, file });
  await prepare?.(desk);
  const before = stateIn(file);
  counted.arm(at, way);
  const ran = await desk.run(verb, line(desk));
  const calls = counted.disarm();
  return { ran, calls, before, after: stateIn(file), shown: desk.shown() };
}

/** A command that failed has named everything that it changed, and claims nothing that did not happen. */
function saidWhatIsThere({ data, text }: Ran, before: State, after: State): void {
  const said = (pattern: RegExp, what: string): void => assert.match(text, pattern, `${what} is not said`);
  const unsure = data['code'] === 'not_known_stored';
  let changes = 0;
  if (after.secret !== before.secret && after.versions.size === 0 && ++changes)
    said(/has no version|not known whether/, 'a secret without a version');
  for (const [number, { state, token }] of after.versions) {
    const old = before.versions.get(number);
    if (old?.state === state && before.alive.has(token) === after.alive.has(token)) continue;
    changes++;
    if (!old) said(unsure ? /not known whether/ : new RegExp(`version ${number}\\b`), `the new version ${number}`);
    else if (old.state !== state)
      said(
        new RegExp(
          `version ${number}\\b[^.]*\\b${state.toLowerCase()}|${state.toLowerCase()}[^.]*\\bversions? [\\d, and]*\\b${number}\\b`,
          'i',
        ),
        `version ${number}, ${state}`,
      );
  }
  const diedHere = [...before.alive].filter((token) => !after.alive.has(token));
  if (diedHere.length > 0 && ++changes) said(/revoked|ended/, 'the end of a grant');
  const kept = new Set([...after.versions.values()].map(({ token }) => token));
  const orphans = [...after.alive].filter((token) => !before.alive.has(token) && !kept.has(token));
  if (orphans.length > 0 && ++changes) {
    said(/was not revoked|may live|did not take its revocation/, 'a grant that lives at Google and is not stored');
    assert.notEqual(data['unstored'], 'revoked');
  }
  if (/not revoked, because other grants/.test(text)) assert.ok(after.alive.size > 0);
  if (/Nothing was (written|changed)/.test(text)) assert.equal(changes, 0, 'something was changed');
  if (/Nothing was disabled/.test(text)) assert.deepEqual(enabledIn(after), enabledIn(before));
  if (/is not stored/.test(text)) assert.equal(after.versions.size, before.versions.size);
  if (/was made, and has no version/.test(text)) assert.deepEqual([after.secret, after.versions.size], [true, 0]);
  assert.doesNotMatch(text, /Idempotency/i);
  assert.match(text, /\nFix: \S/);
}

for (const scenario of sampled(SCENARIOS, 2))
  test(`${scenario.name}: whatever becomes of each of its calls, what it says is what is there`, { concurrency: 6 }, async (t) => {
    const good = await play(scenario);
    assert.equal(good.ran.ok, true);
    scenario.done(good.before, good.after, good.ran.data);
    assert.ok(good.calls.length > 2);
    const row = (at: number, way: Way): Promise<void> =>
      t.test(`call ${at + 1} (${good.calls[at]}) ${way}`, async () => {
        const { ran, before, after, shown, calls } = await play(scenario, at, way);
        assert.ok(calls.length > at);
        if (ran.ok) scenario.done(before, after, ran.data);
        else saidWhatIsThere(ran, before, after);
        const single = !/any more$/.test(way);
        if (single) assert.notEqual(ran.data['code'], 'not_known_stored');
        if (single && !before.secret) assert.ok(!after.secret || after.versions.size > 0, 'a secret without a version is left behind');
        assert.doesNotMatch(shown, /canary/);
      });
    for (const way of Object.keys(WAYS) as Way[]) {
      // Ctrl-C is of the whole process: those one by one. The others wait for each other's pauses.
      const places = sampled([...good.calls.keys()], 4);
      if (way === 'under way at Ctrl-C') for (const at of places) await row(at, way);
      else await Promise.all(places.map((at) => row(at, way)));
    }
  });
