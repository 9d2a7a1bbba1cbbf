import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type Google, startGoogle } from '../../../functions/fake-google/google.ts';
import { connect } from '../../../functions/google/connect.ts';
import { createLog } from '../../../functions/runtime/log.ts';
import { documentEvents } from '../../../functions/trigger/documents/document-handler.ts';
import { emulator, firestoreEmulator, sdkRoot, skipUnless } from '../../support/programs/emulators.ts';
import { appAt, DATABASE, documentHeaders, nameOf } from '../../support/stack/documents.ts';
import { CONFIG, MAILBOX, serveOn, startLaptop } from '../../support/stack/laptop.ts';

interface Backend extends AsyncDisposable {
  readonly url: string;
  readonly google: Google;
}

async function laptop(): Promise<Backend> {
  const google = await startGoogle();
  return { url: google.url, google, [Symbol.asyncDispose]: () => google[Symbol.asyncDispose]() };
}

const firestore = emulator(sdkRoot(), 'firestore');
async function real(): Promise<Backend> {
  if (!firestore) throw new Error('no emulator');
  const [running, google] = await Promise.all([firestoreEmulator(firestore), startGoogle()]);
  const stop = async (): Promise<void> => void (await Promise.all([running[Symbol.asyncDispose](), google[Symbol.asyncDispose]()]));
  return { url: running.url, google, [Symbol.asyncDispose]: stop };
}

/** Every type of Firestore's, written by hand as its REST reference has them. */
const TYPED = {
  text: { stringValue: 'grüße' },
  whole: { integerValue: '42' },
  broken: { doubleValue: 1.5 },
  yes: { booleanValue: true },
  nothing: { nullValue: null },
  time: { timestampValue: '2026-11-24T08:00:00Z' },
  bytes: { bytesValue: Buffer.from('canary').toString('base64') },
  place: { geoPointValue: { latitude: 1, longitude: 2 } },
  other: { referenceValue: `${DATABASE}/documents/users/u1` },
  list: { arrayValue: { values: [{ stringValue: 'a' }, { mapValue: { fields: { b: { integerValue: '1' } } } }] } },
  emptyList: { arrayValue: {} },
  map: { mapValue: { fields: { 'a.b': { stringValue: 'c' } } } },
};
const PLAIN = {
  text: 'grüße',
  whole: 42,
  broken: 1.5,
  yes: true,
  nothing: null,
  time: '2026-11-24T08:00:00Z',
  bytes: Buffer.from('canary'),
  place: { latitude: 1, longitude: 2 },
  other: `${DATABASE}/documents/users/u1`,
  list: ['a', { b: 1 }],
  emptyList: [],
  map: { 'a.b': 'c' },
};

for (const [name, start, skip] of [
  ['the laptop', laptop, false],
  ['the Firestore emulator', real, skipUnless(firestore !== null, 'the Firestore emulator')],
] as const)
  suite(`documents in ${name}`, { skip }, () => {
    let backend: Backend;
    let app: ReturnType<typeof appAt>;
    before(async () => {
      backend = await start();
      app = appAt(backend.url, backend.google);
    });
    after(() => backend[Symbol.asyncDispose]());

    test('every type of value is read', async () => {
      const token = backend.google.oauth.issue('app@laptop.iam.gserviceaccount.com', [])['access_token'];
      const reply = await fetch(`${backend.url}/v1/${DATABASE}/documents:commit`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ writes: [{ update: { name: nameOf('mail/typed'), fields: TYPED } }] }),
      });
      assert.equal(reply.status, 200);
      assert.deepEqual(await app.fields('mail/typed'), PLAIN);
    });

    test('a write by path leaves everything else as it is, and creates the map', async () => {
      await app.put('mail/path', { to: 'you@example.net', delivery: { state: 'RETRY', own: 'kept' } });
      await app.put('mail/bare', { to: 'you@example.net' });
      const change = { 'delivery.state': 'SUCCESS', 'delivery.info': { accepted: ['a'], response: null }, 'delivery.endTime': new Date(0) };
      for (const path of ['mail/path', 'mail/bare']) assert.equal(await app.documents.write(nameOf(path), change, null), true);
      const delivery = { state: 'SUCCESS', info: { accepted: ['a'], response: null }, endTime: '1970-01-01T00:00:00Z' };
      const plain = async (file: string) => JSON.parse(JSON.stringify(await app.fields(file)).replace('.000Z', 'Z')) as unknown;
      const [path, bare] = [await plain('mail/path'), await plain('mail/bare')];
      assert.deepEqual(
        [path, bare],
        [
          { to: 'you@example.net', delivery: { ...delivery, own: 'kept' } },
          { to: 'you@example.net', delivery },
        ],
      );
    });

    test('a write asks for the version it read: of two, one wins', async () => {
      await app.put('mail/raced', { n: 1 });
      const version = (await app.documents.read(nameOf('mail/raced')))?.version ?? '';
      const write = () => app.documents.write(nameOf('mail/raced'), { 'delivery.state': 'PROCESSING' }, version);
      assert.deepEqual([await write(), await write()], [true, false]);
    });

    // The laptop's own is what test/trigger/documents/document-handler.test.ts runs on.
    if (start === real)
      test('a document is mailed, says so, and goes out again when it is set to RETRY; every other event comes to nothing', async () => {
        await using own = await startLaptop();
        const { settings, google } = own;
        const config = { ...CONFIG, documents: { collection: 'mail', database: '(default)', from: [MAILBOX] } };
        const log = createLog((line) => own.lines.push(JSON.parse(line)));
        const edge = connect({ ...settings, config, urls: { ...settings.urls, firestore: backend.url } }, log);
        const server = await serveOn(documentEvents(edge, log));
        const tell = async (id: string): Promise<number> =>
          (await fetch(`${server.url}/documents`, { method: 'POST', headers: documentHeaders('mail/flow', { 'ce-id': id }), body: '' }))
            .status;
        await app.put('mail/flow', { to: 'you@example.net', message: { subject: 'canary-subject', text: 'canary-body' } });
        const first = [await tell('one'), await tell('one'), await tell('own-write'), google.mails.count()];
        await app.update('mail/flow', { 'delivery.state': 'RETRY' });
        const again = [await tell('one'), await tell('two'), await tell('two'), google.mails.count()];
        server.close();
        const { state, attempts } = (await app.delivery('mail/flow')) ?? {};
        assert.deepEqual([first, again, state, attempts], [[204, 204, 204, 1], [204, 204, 204, 2], 'SUCCESS', 2]);
      });

    test('a document that is not there is null, and cannot be written to', async () => {
      assert.deepEqual(
        [
          await app.documents.read(nameOf('mail/none')),
          await app.documents.write(nameOf('mail/none'), { 'delivery.state': 'ERROR' }, null),
        ],
        [null, false],
      );
    });

    test('names are taken as they are, whatever they hold', async () => {
      for (const id of ['a b', 'ä', 'x%2Fy', 'q?r#s', '+:=']) {
        await app.put(`mail/${id}`, { id });
        assert.deepEqual(await app.fields(`mail/${id}`), { id });
      }
    });
  });
