import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createDedupeWindows } from '../../../functions/google/firestore/firestore-dedupe-windows.ts';
import type { DedupeWindows, WindowMembership } from '../../../functions/mail/delivery/dedupe-windows.ts';
import { memoryWindows } from '../../explore/world.ts';
import { emulator, firestoreEmulator, sdkRoot, skipUnless } from '../../support/programs/emulators.ts';
import { firestoreAt } from '../../support/stack/firestore.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const HOUR = 3_600_000;
const hex = (n: number): string => (n * 2_654_435_761).toString(16).padStart(40, '0').slice(-40);
let groups = 0;
const group = (): string => hex(process.pid * 1_000 + ++groups);

const firestore = emulator(sdkRoot(), 'firestore');

async function laptop() {
  const google = await startGoogle();
  return { windows: windowsAt(google.url, google.url), [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}

async function real() {
  if (!firestore) throw new Error('no emulator');
  const [running, google] = await Promise.all([firestoreEmulator(firestore), startGoogle()]);
  return {
    windows: windowsAt(running.url, google.url),
    async [Symbol.asyncDispose]() {
      await Promise.all([running[Symbol.asyncDispose](), google[Symbol.asyncDispose]()]);
    },
  };
}

function windowsAt(url: string, metadata: string): DedupeWindows {
  return createDedupeWindows(firestoreAt(url, createIdentity(metadata)), 'projects/laptop/databases/(default)');
}

const backends = [
  {
    name: 'memory, as the tests of the core have it',
    start: async () => ({ windows: memoryWindows(), [Symbol.asyncDispose]: async () => {} }),
    skip: false as const,
  },
  { name: 'the laptop (SQLite)', start: laptop, skip: false as const },
  { name: "Google's Firestore emulator", start: real, skip: skipUnless(firestore !== null, 'the Firestore emulator (gcloud and Java)') },
];

for (const { name, start, skip } of backends)
  suite(`windows on ${name}`, { skip }, () => {
    let backend: AsyncDisposable & { readonly windows: DedupeWindows };
    before(async () => {
      backend = await start();
      // The emulator's first write warms its JVM, on a busy machine for longer than a call may take.
      for (let tries = 0; tries < 6; tries++) if (await backend.windows.assign(group(), hex(1), HOUR, NOW).catch(() => null)) break;
    });
    after(() => backend?.[Symbol.asyncDispose]());
    const firsts = (all: readonly WindowMembership[]): number => all.filter(({ first }) => first).length;

    test('the first event opens a window, the next ones are held, and each counts once', async () => {
      const { windows } = backend;
      const one = group();
      const opened = await windows.assign(one, hex(1), HOUR, NOW);
      assert.deepEqual([opened.first, opened.opened, opened.until, opened.before], [true, NOW, NOW + HOUR, null]);
      const second = await windows.assign(one, hex(2), HOUR, NOW + 5_000);
      assert.deepEqual([second.first, second.ask, second.opened], [false, true, NOW]);
      const again = await windows.assign(one, hex(2), HOUR, NOW + 6_000);
      assert.deepEqual([again.first, again.ask, again.opened], [false, true, NOW]);
      await windows.assign(one, hex(3), HOUR, NOW + 9_000);
      assert.deepEqual(await windows.countHeldBack(one, NOW), { count: 2, first: NOW + 5_000, last: NOW + 9_000 });
    });

    test('when it is over, the next event opens another, and says which one was before', async () => {
      const { windows } = backend;
      const one = group();
      for (const [event, at] of [
        [1, 0],
        [2, 1_000],
      ] as const)
        await windows.assign(one, hex(event), HOUR, NOW + at);
      const next = await windows.assign(one, hex(3), HOUR, NOW + HOUR);
      assert.deepEqual([next.first, next.opened, next.before], [true, NOW + HOUR, { opened: NOW, until: NOW + HOUR }]);
      // Whoever was to send that one's digest may have died: its redelivery is told of it again.
      assert.deepEqual((await windows.assign(one, hex(3), HOUR, NOW + HOUR + 1)).before, { opened: NOW, until: NOW + HOUR });
      assert.deepEqual([(await windows.countHeldBack(one, NOW)).count, (await windows.countHeldBack(one, NOW + HOUR)).count], [1, 0]);
      // Delivered again after the end, an event still belongs where it belonged.
      const late = [await windows.assign(one, hex(1), HOUR, NOW + HOUR + 1), await windows.assign(one, hex(2), HOUR, NOW + HOUR + 1)];
      assert.deepEqual(
        late.map(({ first, opened }) => [first, opened]),
        [
          [true, NOW],
          [false, NOW],
        ],
      );
      assert.equal((await windows.countHeldBack(one, NOW + HOUR)).count, 0);
    });

    test('closed, a window tells each round what came since the one before, the same however often it is asked', async () => {
      const { windows } = backend;
      const one = group();
      const held = async (event: number) => (await windows.assign(one, hex(event), HOUR, NOW + event)).closed;
      const told = async (round: number) => (await windows.close(one, NOW, round)).count;
      await windows.assign(one, hex(1), HOUR, NOW);
      assert.deepEqual([await held(2), await held(3)], [0, 0]);
      assert.deepEqual([await told(1), await told(1)], [2, 2]);
      assert.ok((await held(4)) > 0);
      assert.ok((await held(4)) > 0); // delivered again
      assert.deepEqual([await told(1), await told(2), await told(3), await told(2)], [2, 1, 0, 1]);
    });

    test('whatever comes while the window is closed is told in one round or sees that it is closed', async () => {
      const { windows } = backend;
      const one = group();
      await windows.assign(one, hex(1), HOUR, NOW);
      const events = Array.from({ length: 30 }, (_, n) => windows.assign(one, hex(n + 2), HOUR, NOW + n + 2));
      const [first, ...all] = await Promise.all([windows.close(one, NOW, 1), ...events]);
      const rest = await windows.close(one, NOW, 2);
      assert.equal(first.count + rest.count, 30);
      assert.ok(all.filter(({ closed }) => closed > 0).length >= rest.count, 'each event that is not in round 1 sees it');
    });

    test('of any number that come at the same time one is first, and none is lost', async () => {
      const { windows } = backend;
      const one = group();
      const burst = Array.from({ length: 40 }, (_, n) => n + 1);
      const all = await Promise.all([...burst, ...burst].map((n) => windows.assign(one, hex(n), HOUR, NOW + n)));
      const [{ opened } = assert.fail()] = all;
      assert.deepEqual(new Set(all.map((joined) => joined.opened)), new Set([opened]));
      assert.deepEqual([firsts(all), (await windows.countHeldBack(one, opened)).count], [2, 39]); // it was delivered twice, too
      assert.ok(
        all.some(({ first, ask }) => !first && ask),
        'somebody asks for the digest',
      );
    });
  });
