/** What an email costs in the ledger, in log and in calls, held against the worked example of infra/README.md. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { queued } from '../explore/queued.ts';
import { authorised, CONFIG, MAIL, post, startLaptop } from '../support/stack/laptop.ts';

interface Spent {
  writes: number;
  reads: number;
  /** Documents that were made for one email alone: TTL deletes them. */
  made: Set<string>;
}

/** Firestore's bill: each document that a commit writes, and each that is read, also where it is not there. */
async function meter(spent: Spent, behind: () => string) {
  const server = createServer(async (req, res) => {
    const body = await text(req);
    if (req.url?.endsWith(':commit'))
      for (const { update } of (JSON.parse(body) as { writes: { update: { name: string } }[] }).writes) {
        spent.writes++;
        const [, place = ''] = update.name.split('/documents/');
        if (!place.startsWith('counters/')) spent.made.add(place);
      }
    else spent.reads++;
    const headers = Object.fromEntries(
      Object.entries(req.headers).filter(([name]) => /^(authorization|content-type)$/.test(name)),
    ) as Record<string, string>;
    const reply = await fetch(`${behind()}${req.url}`, { method: req.method ?? 'GET', headers, ...(body !== '' && { body }) });
    res.writeHead(reply.status, { 'content-type': 'application/json' }).end(await reply.text());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() };
}

const LIMITS = { ...CONFIG, mailboxes: CONFIG.mailboxes.map((one) => ({ ...one, limits: { perDay: 1_600, perMinute: null } })) };

/** What an email with an idempotency key costs, of a mailbox with the usual limit. */
async function costs(delivery: 'direct' | 'queued') {
  const spent: Spent = { writes: 0, reads: 0, made: new Set() };
  let behind = '';
  await using front = await meter(spent, () => behind);
  const options = { config: LIMITS, urls: { firestore: front.url } };
  await using own =
    delivery === 'direct' ? { ...(await startLaptop(options)), flush: async () => {} } : await queued({ ...options, delivery });
  behind = own.google.url;
  const { status } = await post(`${own.api}/emails`, MAIL, { ...authorised, 'idempotency-key': 'order/7' });
  await own.flush();
  assert.deepEqual([status, own.google.mails.count()], [200, 1]);
  const log = own.lines.reduce((sum, line) => sum + JSON.stringify(line).length, 0);
  return { writes: spent.writes, reads: spent.reads, deletes: spent.made.size, log };
}

const page = readFileSync('infra/README.md', 'utf8');
for (const delivery of ['direct', 'queued'] as const)
  test(`README.md says what an email costs (${delivery})`, async (t) => {
    const { log, ...ledger } = await costs(delivery);
    t.diagnostic(JSON.stringify({ ...ledger, log }));
    const row = new RegExp(`^\\| \`delivery: ${delivery}\` \\| (\\d+) \\| (\\d+) \\| (\\d+) \\|`, 'm').exec(page)?.slice(1).map(Number);
    assert.deepEqual(row, [ledger.writes, ledger.reads, ledger.deletes]);
    assert.ok(log < 1_000, `${log} bytes of log`);
  });
