/** `npm run test:unit`: the tests of pure code, in one process and in seconds. What starts a server or a program is left to `npm test`. */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';

/** What a test imports that starts something, or leads to what does. */
const STARTS =
  /from '(node:(child_process|https?|net|tls)|[^']*\/(support\/(stack|programs)|fake-google|inbox|pages|dev|testing|google|cli)\/[^']*|[^']*stack[^']*)'/;

const files = globSync('test/**/*.test.ts').filter(
  (file) => !STARTS.test(readFileSync(file, 'utf8')) && !/test\/(docs|bundles|explore\/)/.test(file),
);
const args = ['--test', '--test-isolation=none', '--test-reporter=dot', ...process.argv.slice(2), ...files];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
console.log(`${files.length} files`);
process.exitCode = status ?? 1;
