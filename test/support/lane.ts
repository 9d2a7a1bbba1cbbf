/** Runs test files in this process, one after another, until none is left. Several of these processes share the files of a run. */
import { appendFileSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, suite } from 'node:test';
import { pathToFileURL } from 'node:url';

const folder = process.env['MAILGRANT_LANE'] ?? '';
const files = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as readonly string[];
delete process.env['MAILGRANT_LANE'];

// What tests have started is ended when this process exits; a signal alone would end it without that.
process.on('SIGTERM', () => process.exit(143));

/** True for the one process that asks first. */
function claim(index: number): boolean {
  try {
    openSync(join(folder, String(index)), 'wx');
    return true;
  } catch {
    return false;
  }
}

/** Processor seconds of this process and of all that it has started and that has ended, as Linux counts them. */
function processorSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
}
const times = process.env['MAILGRANT_TIMES']; // a file that gets a line for each test file: processor seconds, seconds, name

for (const [index, file] of files.entries()) {
  if (!claim(index)) continue;
  const [used, began] = times === undefined ? [0, 0] : [processorSeconds(), Date.now()];
  const { promise, resolve: ended } = Promise.withResolvers<void>();
  suite(file, async () => {
    after(() => ended()); // it runs also where the file does not load, or its own hooks fail
    await import(pathToFileURL(resolve(file)).href);
  });
  await promise;
  if (times === undefined) continue;
  const wall = (Date.now() - began) / 1_000;
  appendFileSync(times, `${(processorSeconds() - used).toFixed(2)} ${wall.toFixed(1)} ${file}\n`);
}

// A test that fails may leave a server open, which must not keep the run from ending.
setTimeout(() => process.exit(), 5_000).unref();
