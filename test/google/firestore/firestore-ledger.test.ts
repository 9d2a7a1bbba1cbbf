import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { createLedgerQuery, type LedgerQuery } from '../../../functions/cli/ledger/ledger-query.ts';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { createIdentity } from '../../../functions/google/auth/service-identity.ts';
import { createLedger } from '../../../functions/google/firestore/firestore-ledger.ts';
import { createExchange } from '../../../functions/google/http/exchange.ts';
import { takeOver } from '../../../functions/mail/delivery/claim.ts';
import { type Entry, type Ledger, STATES, type State } from '../../../functions/mail/delivery/ledger.ts';
import { googleUrls } from '../../../functions/runtime/google-urls.ts';
import { world } from '../../explore/world.ts';
import { emulator, firestoreEmulator, sdkRoot, skipUnless } from '../../support/programs/emulators.ts';
import { firestoreAt } from '../../support/stack/firestore.ts';
import { settingsFor } from '../../support/stack/laptop.ts';

const NOW = Date.UTC(2026, 10, 24, 8);
const step = (entry: Entry, state: State, change: Partial<Entry> = {}): Entry => ({ ...entry, ...change, state });
const HOUR = 3_600_000;
let count = 0;
const unique = (): string => `${process.pid}-${Date.now()}-${++count}`;

const entry = (change: Partial<Entry> = {}): Entry => ({
  id: unique(),
  state: 'claimed',
  requestHash: 'p',
  caller: 'shop',
  mailbox: 'm',
  recipients: ['r1', 'r2'],
  acceptedAt: NOW,
  attempts: 1,
  leaseUntil: NOW + HOUR,
  sessionUri: null,
  mimeHash: null,
  gmailId: null,
  code: null,
  notBefore: null,
  expireAt: NOW + 24 * HOUR,
  ...change,
});

interface Backend extends AsyncDisposable {
  readonly url: string;
  readonly metadata: string;
}

async function laptop(): Promise<Backend> {
  const google = await startGoogle();
  return { url: google.url, metadata: google.url, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}

const firestore = emulator(sdkRoot(), 'firestore');
async function real(): Promise<Backend> {
  if (!firestore) throw new Error('no emulator');
  const [running, google] = await Promise.all([firestoreEmulator(firestore), startGoogle()]);
  return {
    url: running.url,
    metadata: google.url,
    async [Symbol.asyncDispose]() {
      await Promise.all([running[Symbol.asyncDispose](), google[Symbol.asyncDispose]()]);
    },
  };
}

const backends = [
  { name: 'the laptop (SQLite)', start: laptop, skip: false as const },
  { name: "Google's Firestore emulator", start: real, skip: skipUnless(firestore !== null, 'the Firestore emulator (gcloud and Java)') },
];

for (const { name, start, skip } of backends) {
  suite(`the ledger on ${name}`, { skip }, () => {
    let backend: Backend;
    let ledger: Ledger;
    let query: LedgerQuery;
    let keyOf: (hash: string) => Promise<Record<string, unknown>>;
    before(async () => {
      backend = await start();
      const exchange = createExchange()(AbortSignal.timeout(300_000));
      const identity = createIdentity(backend.metadata);
      const urls = { ...googleUrls(backend.metadata), firestore: backend.url };
      query = createLedgerQuery({ settings: settingsFor(backend.metadata, { urls }), identity });
      ledger = createLedger(firestoreAt(backend.url, identity, exchange), 'projects/laptop/databases/(default)');
      keyOf = async (hash) => {
        const { secret } = await identity();
        const headers = { authorization: `Bearer ${secret.reveal()}` };
        const reply = await fetch(`${backend.url}/v1/projects/laptop/databases/(default)/documents/keys/${hash}`, { headers });
        return ((await reply.json()) as { fields: Record<string, unknown> }).fields;
      };
      // The emulator's first write warms the JVM; on a machine that is busy it may take longer than a call's patience.
      while (
        !(await ledger.create(entry(), null, NOW).then(
          () => true,
          () => false,
        ))
      );
    });
    after(() => backend?.[Symbol.asyncDispose]());

    test('what was written is read back, field by field', async () => {
      const extra = {
        claimId: 'h',
        rejected: 2,
        mimeBytes: 7,
        scheduledAt: NOW + 5,
        messageHash: 'c',
        threadId: 't',
        repeatedAt: NOW,
        idHeader: 1 as const,
        key: 'k',
      };
      const mine = entry({ sessionUri: 'https://example.com/?a=b', gmailId: 'g', code: 'rate_limited', notBefore: NOW + 5, ...extra });
      const { created, found } = await ledger.create(mine, null, NOW);
      assert.deepEqual([created, found.entry], [true, mine]);
      assert.deepEqual((await ledger.read(mine.id))?.entry, mine);
    });

    test('mails are looked up by state, and by any of their recipients', async () => {
      const [ann, bob] = [unique(), unique()];
      const mails = [
        entry({ state: 'parked', recipients: [ann, bob] }),
        entry({ state: 'sent', recipients: [bob] }),
        entry({ state: 'canceled' }),
      ];
      for (const one of mails) await ledger.create(one, null, NOW);
      const ids = async (sought: Parameters<LedgerQuery>[0]) => (await query(sought, 100)).map(({ id }) => id).sort();
      const of = (...places: number[]) => places.map((place) => mails[place]?.id).sort();
      assert.deepEqual(
        [await ids({ states: ['parked', 'canceled'] }), await ids({ recipients: [ann, 'nobody'] }), await ids({ recipients: [bob] })],
        [of(0, 2), of(0), of(0, 1)],
      );
      assert.deepEqual(await query({ recipients: [ann] }, 1), [mails[0]]);
    });

    test('an entry that is not there is null', async () => assert.equal(await ledger.read(unique()), null));

    test('a key maps to the first entry', async () => {
      const key = { hash: unique(), expireAt: NOW + HOUR };
      const first = entry();
      assert.equal((await ledger.create(first, key, NOW)).created, true);
      const second = await ledger.create(entry(), key, NOW);
      assert.deepEqual([second.created, second.found.entry], [false, first]);
    });

    test('a key that has run out is given to the next entry, once the email that it stands for is over', async () => {
      const hash = unique();
      const { found } = await ledger.create(entry(), { hash, expireAt: NOW + HOUR }, NOW);
      const next = entry();
      const early = await ledger.create(next, { hash, expireAt: NOW + 3 * HOUR }, NOW + 2 * HOUR);
      assert.deepEqual([early.created, early.found.entry.id], [false, found.entry.id]);
      await ledger.replace(found, step(found.entry, 'sent'));
      const again = await ledger.create(next, { hash, expireAt: NOW + 3 * HOUR }, NOW + 2 * HOUR);
      assert.deepEqual([again.created, again.found.entry.id], [true, next.id]);
      assert.equal((await ledger.create(entry(), { hash, expireAt: NOW + 3 * HOUR }, NOW + 2 * HOUR)).found.entry.id, next.id);
    });

    test('of fifty claims of one key one wins, and all learn the same id', async (t) => {
      const key = { hash: unique(), expireAt: NOW + HOUR };
      const began = performance.now();
      const claims = await Promise.all(Array.from({ length: 50 }, () => ledger.create(entry(), key, NOW)));
      t.diagnostic(`fifty claims took ${Math.round(performance.now() - began)} ms`);
      assert.equal(claims.filter(({ created }) => created).length, 1);
      assert.equal(new Set(claims.map(({ found }) => found.entry.id)).size, 1);
    });

    test('of twenty that ask at once under a key that has run out one wins', async () => {
      const hash = unique();
      await ledger.create(entry({ state: 'sent' }), { hash, expireAt: NOW + HOUR }, NOW);
      const key = { hash, expireAt: NOW + 3 * HOUR };
      const all = await Promise.all(Array.from({ length: 20 }, () => ledger.create(entry(), key, NOW + 2 * HOUR)));
      assert.equal(all.filter(({ created }) => created).length, 1);
      assert.equal(new Set(all.map(({ found }) => found.entry.id)).size, 1);
    });

    for (const state of STATES)
      test(`a key whose email is ${state} ${['sent', 'failed', 'canceled'].includes(state) ? 'lapses at its time' : 'does not lapse'}`, async () => {
        const hash = unique();
        const { found } = await ledger.create(entry({ state }), { hash, expireAt: NOW + HOUR }, NOW);
        const { created } = await ledger.create(entry(), { hash, expireAt: NOW + 99 * HOUR }, NOW + 20 * HOUR);
        assert.equal(created, ['sent', 'failed', 'canceled'].includes(found.entry.state));
      });

    test('a key lives as long as the entry of its email, also where that is moved to a later time', async () => {
      const hash = unique();
      const { found } = await ledger.create(entry({ state: 'scheduled', key: hash }), { hash, expireAt: NOW + HOUR }, NOW);
      const life = async () => Date.parse(String(((await keyOf(hash))['expireAt'] as { timestampValue?: string }).timestampValue));
      assert.equal(await life(), found.entry.expireAt);
      const moved = await ledger.replace(found, { ...found.entry, expireAt: NOW + 99 * HOUR });
      assert.equal(await life(), NOW + 99 * HOUR);
      assert.equal((await ledger.create(entry(), { hash, expireAt: NOW }, NOW + 50 * HOUR)).found.entry.id, moved?.entry.id);
    });

    test('a replacement needs the version it was read at', async () => {
      const { found } = await ledger.create(entry(), null, NOW);
      const sending = step(found.entry, 'sending', { sessionUri: 'h' });
      const replaced = await ledger.replace(found, sending);
      assert.deepEqual(replaced?.entry, sending);
      assert.equal(await ledger.replace(found, step(found.entry, 'failed')), null);
      assert.deepEqual((await ledger.read(found.entry.id))?.entry, sending);
    });

    test('of twenty replacements of one version one wins', async () => {
      const { found } = await ledger.create(entry(), null, NOW);
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, n) => ledger.replace(found, step(found.entry, 'sending', { sessionUri: `h${n}` }))),
      );
      assert.equal(all.filter(Boolean).length, 1);
    });

    test('of two that take an email over in the same millisecond one wins', async () => {
      const { found } = await ledger.create(entry({ leaseUntil: 0 }), null, NOW);
      const ports = { ...world(), ledger, newId: unique };
      const taken = await Promise.allSettled([takeOver(found, [], ports), takeOver(found, [], ports)]);
      assert.deepEqual(taken.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    });

    test('counters that are not there begin at 0, and are counted up and down together', async () => {
      const counters = [unique(), unique()].map((name) => ({ name, expireAt: NOW + HOUR }));
      assert.deepEqual(await ledger.count(counters, 1), [1, 1]);
      assert.deepEqual(await ledger.count(counters.slice(0, 1), 1), [2]);
      assert.deepEqual(await ledger.count(counters, -1), [1, 0]);
    });

    test('of thirty that count at once each gets a number of its own', async () => {
      const counter = [{ name: unique(), expireAt: NOW + HOUR }];
      const counts = await Promise.all(Array.from({ length: 30 }, () => ledger.count(counter, 1)));
      assert.deepEqual(
        counts.flat().sort((a, b) => a - b),
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
    });

    test('what is counted with a claim is counted if the claim is ours, and only then', async () => {
      const counter = [{ name: unique(), expireAt: NOW + HOUR }];
      const key = { hash: unique(), expireAt: NOW + HOUR };
      const first = await ledger.create(entry(), key, NOW, counter);
      const second = await ledger.create(entry(), key, NOW, counter);
      assert.deepEqual([first.found.counts, second.created, second.found.counts], [[1], false, undefined]);
      const taken = await ledger.replace(first.found, step(first.found.entry, 'claimed', { claimId: 'other' }), counter);
      const late = step(first.found.entry, 'claimed', { attempts: 9 });
      assert.deepEqual([taken?.counts, await ledger.replace(first.found, late, counter)], [[2], null]);
      assert.deepEqual(await ledger.count(counter, 1), [3]);
    });

    test('of thirty emails that are counted with their claims each gets a number of its own', async () => {
      const counter = [{ name: unique(), expireAt: NOW + HOUR }];
      const claims = await Promise.all(Array.from({ length: 30 }, () => ledger.create(entry(), null, NOW, counter)));
      assert.deepEqual(
        claims.flatMap(({ found }) => found.counts ?? []).sort((a, b) => a - b),
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
    });

    test('a key stands for one email alone, until a second one asks: then for none', async () => {
      const key = { hash: unique(), expireAt: NOW + HOUR };
      assert.deepEqual([await ledger.reserve(key, 'a'), await ledger.reserve(key, 'a')], [true, true]);
      assert.deepEqual(
        [await ledger.reserve(key, 'b'), await ledger.reserve(key, 'a'), await ledger.reserve(key, 'b')],
        [false, false, false],
      );
    });

    test('of ten that reserve one key at once, at most one is told that it is alone', async () => {
      const key = { hash: unique(), expireAt: NOW + HOUR };
      const told = await Promise.all(Array.from({ length: 10 }, (_, n) => ledger.reserve(key, `mail-${n}`)));
      assert.ok(told.filter(Boolean).length <= 1);
      assert.deepEqual(await Promise.all(told.map((_, n) => ledger.reserve(key, `mail-${n}`))), Array(10).fill(false));
    });

    for (const [from, to] of [
      ['queued', 'claimed'],
      ['queued', 'canceled'],
      ['scheduled', 'scheduled'],
      ['scheduled', 'claimed'],
      ['parked', 'canceled'],
    ] as const)
      test(`of a worker and a caller that step from ${from} to ${to} at once one succeeds`, async () => {
        const { found } = await ledger.create(entry({ state: from, leaseUntil: 0, messageHash: 'c', notBefore: NOW + HOUR }), null, NOW);
        const both = await Promise.all([
          ledger.replace(found, step(found.entry, to, { attempts: 7 })),
          ledger.replace(found, step(found.entry, to, { attempts: 8 })),
        ]);
        assert.equal(both.filter(Boolean).length, 1);
        const [won] = both.filter((one) => one !== null);
        assert.deepEqual((await ledger.read(found.entry.id))?.entry, won?.entry);
      });

    test('an entry keeps its time to live as a timestamp', async () => {
      const mine = entry();
      await ledger.create(mine, null, NOW);
      const reply = await fetch(`${backend.url}/v1/projects/laptop/databases/(default)/documents/mails/${mine.id}`, {
        headers: { authorization: `Bearer ${await bearer(backend.metadata)}` },
      });
      const { fields } = (await reply.json()) as { fields: Record<string, { timestampValue?: string }> };
      assert.equal(Date.parse(fields['expireAt']?.timestampValue ?? ''), mine.expireAt);
    });
  });
}

async function bearer(metadata: string): Promise<string> {
  const token = await createIdentity(metadata)();
  return token.secret.reveal();
}

/** The real adapter against that fake. */
function ledgerOf({ url }: Pick<Google, 'url'>): Ledger {
  return createLedger(firestoreAt(url, createIdentity(url)), 'projects/laptop/databases/(default)');
}

suite('the ledger when the reply to a commit is lost', () => {
  for (const reset of ['before', 'after'] as const)
    test(`${reset} it took effect: ledger_unavailable, and the same entry can be created again`, async () => {
      await using google = await startGoogle();
      const ledger = ledgerOf(google);
      const mine = entry();
      const key = { hash: unique(), expireAt: NOW + HOUR };
      google.faults.script({ on: 'ledger', reset, times: 2 });
      const first = await ledger.create(mine, key, NOW).catch((error: { code: string }) => error.code);
      assert.equal(first, 'ledger_unavailable');
      google.faults.clear();
      const second = await ledger.create(mine, key, NOW);
      assert.deepEqual([second.created, second.found.entry], [true, mine]);
    });

  test('an entry whose creation took effect without a reply, and which somebody else has worked on since, is theirs', async () => {
    await using google = await startGoogle();
    const ledger = ledgerOf(google);
    for (const key of [null, { hash: unique(), expireAt: NOW + HOUR }]) {
      const mine = entry();
      const found = (await ledger.create(mine, key, NOW)).found;
      const theirs = await ledger.replace(found, step(mine, 'claimed', { claimId: 'somebody', attempts: 2 }));
      const again = await ledger.create(mine, key, NOW); // the adapter's own second try arrives late
      assert.deepEqual([again.created, again.found.entry], [false, theirs?.entry]);
    }
  });

  test('a replacement whose reply is lost is known again, in whatever order its fields were written', async () => {
    await using google = await startGoogle();
    const ledger = ledgerOf(google);
    const { found } = await ledger.create(entry({ state: 'queued', messageHash: 'c', scheduledAt: NOW }), null, NOW);
    const { messageHash: _, ...rest } = found.entry;
    const next = step({ ...rest, messageHash: 'd', rejected: 1 } as Entry, 'claimed');
    google.faults.script({ on: 'ledger', reset: 'after' });
    assert.deepEqual((await ledger.replace(found, next))?.entry, next);
  });

  test('contention (ABORTED) is tried again, and is nobody else’s claim', async () => {
    await using google = await startGoogle();
    const ledger = ledgerOf(google);
    const { found } = await ledger.create(entry(), null, NOW);
    google.faults.script({ on: 'ledger', status: 409, body: { error: { status: 'ABORTED' } } });
    assert.equal((await ledger.replace(found, step(found.entry, 'sending', { sessionUri: 'h' })))?.entry.sessionUri, 'h');
  });

  for (const { fault, code } of [
    { fault: { answer: 'cloud_unavailable' }, code: 'ledger_unavailable' },
    { fault: { answer: 'permission_denied' }, code: 'identity_refused' },
    { fault: { answer: 'unauthenticated', times: 2 }, code: 'ledger_unavailable' },
  ] as const)
    test(`${JSON.stringify(fault)} is ${code}`, async () => {
      await using google = await startGoogle();
      const ledger = ledgerOf(google);
      google.faults.script({ on: 'ledger', ...fault });
      await assert.rejects(ledger.create(entry(), null, NOW), { code });
    });
});
