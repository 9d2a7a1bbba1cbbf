import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type Built, buildFunctions } from '../../functions/cli/build/build.ts';
import { makeCertificate } from '../../functions/fake-google/http/certificate.ts';
import { SCOPE_SEND } from '../../functions/mail/model/scopes.ts';
import type { Served } from './child.ts';
import type { FakeAddress, FakeOptions } from './fake.ts';

export const PROJECT = 'bench';
export const KEY = `mg_bench_${'k'.repeat(43)}`;
export const MAILBOXES = 10;
export const mailbox = (index = 0): string => `box${index}@example.com`;
/** Its token is kept between invocations. */
export const KEEPING_MAILBOX = 'keeping@example.com';
export const AUTHORISED = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };

/** What the measurements stand on: the built functions, a certificate, a folder of their own. */
export interface Laptop extends AsyncDisposable {
  readonly folder: string;
  readonly built: readonly Built[];
  readonly certificate: { readonly cert: string; readonly key: string };
}

export async function prepare(): Promise<Laptop> {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-bench-'));
  const boxes = Array.from({ length: MAILBOXES }, (_, index) => `  ${mailbox(index)}: { secret: ${secretOf(index)} }`);
  const hash = createHash('sha256').update(KEY).digest('hex');
  const yaml = `mailboxes:\n${boxes.join('\n')}\n  ${KEEPING_MAILBOX}: { secret: grant-keeping, tokens: reuse }\nkeys:\n  bench: { sha256: ${hash}, from: [${[...boxes.keys()].map(mailbox).join(', ')}, ${KEEPING_MAILBOX}] }\n`;
  writeFileSync(join(folder, 'mailgrant.yaml'), yaml);
  const built = await buildFunctions(join(folder, 'mailgrant.yaml'), join(folder, 'dist'));
  // The framework is the bundle's one dependency; here it is the project's own.
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(folder, 'node_modules'));
  await bundleCareful(folder);
  mkdirSync(join(folder, 'tls'));
  const { cert, key } = await makeCertificate();
  const certificate = { cert: join(folder, 'tls', 'cert.pem'), key: join(folder, 'tls', 'key.pem') };
  writeFileSync(certificate.cert, cert);
  writeFileSync(certificate.key, key, { mode: 0o600 });
  return { folder, built, certificate, [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }) };
}

const secretOf = (index: number): string => `grant-${index}`;

export interface Fake extends AsyncDisposable, FakeAddress {
  readonly child: ChildProcess;
}

/** Starts the fake Google, or the sink, in a process of its own. */
export async function startFake(
  laptop: Laptop,
  { kind, tls, delayMs }: { kind: FakeOptions['kind']; tls: boolean; delayMs?: number },
): Promise<Fake> {
  const mailboxes = Array.from({ length: MAILBOXES }, (_, index) => ({
    address: mailbox(index),
    secret: secretOf(index),
    scope: SCOPE_SEND,
  }));
  const options: FakeOptions = {
    kind,
    ...(delayMs && { delayMs }),
    tls: tls ? laptop.certificate : null,
    project: PROJECT,
    mailboxes: [...mailboxes, { address: KEEPING_MAILBOX, secret: 'grant-keeping', scope: SCOPE_SEND }],
  };
  const child = spawn(process.execPath, [fileURLToPath(new URL('fake.ts', import.meta.url)), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((done) => child.once('exit', done));
  const [line] = await Promise.race([
    new Promise<string[]>((done) => createInterface({ input: child.stdout }).once('line', (text) => done([text]))),
    ended.then(() => Promise.reject(new Error('the fake Google ended'))),
  ]);
  return {
    ...(JSON.parse(line ?? '{}') as FakeAddress),
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** One of our functions as it is deployed, against a fake. */
export function ours(laptop: Laptop, target: 'api' | 'worker', fake: FakeAddress, change: Partial<Served> = {}): Served {
  return {
    target,
    source: join(laptop.folder, 'dist', target),
    ...change,
    env: {
      GOOGLE_CLOUD_PROJECT: PROJECT,
      MAILGRANT_GOOGLE_URL: fake.url,
      NODE_EXTRA_CA_CERTS: laptop.certificate.cert,
      ...change.env,
    },
  };
}

export const peer = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

export const hello: Served = { target: 'hello', source: peer('hello'), env: {} };

export const naive = (laptop: Laptop, fake: FakeAddress, change: Partial<Served> = {}): Served => ({
  target: 'naive',
  source: peer('naive'),
  ...change,
  env: {
    GOOGLE_CLOUD_PROJECT: PROJECT,
    METADATA_SERVER_DETECTION: 'assume-present',
    GCE_METADATA_HOST: new URL(fake.metadata).host,
    BENCH_GOOGLE: fake.url,
    BENCH_SECRET: `projects/${PROJECT}/secrets/${secretOf(0)}/versions/latest`,
    NODE_EXTRA_CA_CERTS: laptop.certificate.cert,
    ...change.env,
  },
});

/** Google's own libraries as a careful developer uses them: by path, in one bundle, with the same work for the ledger. */
export const careful = (laptop: Laptop, fake: FakeAddress, change: Partial<Served> = {}): Served => ({
  ...naive(laptop, fake, change),
  target: 'careful',
  source: join(laptop.folder, 'careful'),
});

async function bundleCareful(folder: string): Promise<void> {
  const outdir = join(folder, 'careful');
  mkdirSync(outdir);
  await build({
    entryPoints: [join(peer('careful'), 'index.js')],
    outfile: join(outdir, 'index.cjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    external: ['@google-cloud/functions-framework'],
    logLevel: 'error',
  });
  writeFileSync(join(outdir, 'package.json'), JSON.stringify({ main: 'index.cjs' }));
}

const TEXT = 'Your order has been accepted and will be sent today. '.repeat(12);

/** About 2 kB when composed: text and html, as a shop sends it. */
export const MAIL = {
  from: mailbox(),
  to: 'you@example.net',
  subject: 'Your order 4711',
  text: TEXT,
  html: `<p>${TEXT}</p>`,
};
