/** `npm run bench -- [NAME…] [--quick] [--json] [--save]`: the figures of docs/performance.md, measured here and now. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { bundles } from './bundles.ts';
import { cold } from './cold.ts';
import { type Laptop, prepare } from './laptop.ts';
import { memory } from './memory.ts';
import { path } from './path.ts';
import { chart } from './report/chart.ts';
import { curves, panels } from './report/curves.ts';
import { type Figure, judge, type Range } from './report/figures.ts';
import { type Kept, limitOf, number, range, writePage } from './report/page.ts';
import { soak } from './soak.ts';
import { warm } from './warm.ts';

type Bench = (laptop: Laptop, quick: boolean) => Promise<Figure[]>;
const BENCHES: Readonly<Record<string, Bench>> = { bundles, cold, path, warm, memory, curves, soak };
const BASELINE = new URL('baseline.json', import.meta.url);
const CHART = 'docs/performance.svg';

const HELP = `npm run bench -- [NAME…] [options]

Names: ${Object.keys(BENCHES).join(', ')} (default: all of them)
--quick   fewer rounds: a look, not a measurement
--json    the figures as JSON on stdout
--save    keep the figures as the baseline (test/bench/baseline.json), in docs/performance.md, and draw the curves

Noise fails nothing: figures are compared with the baseline and shown. The exit code is 1 only if a measurement did not run.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, save: { type: 'boolean' }, help: { type: 'boolean' } },
});
const unknown = positionals.filter((name) => !(name in BENCHES));
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `There is no ${unknown.join(', ')}.\n\n${HELP}` : HELP);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const say = values.json ? (text: string) => process.stderr.write(`${text}\n`) : console.log;
const machine = {
  node: process.version,
  processor: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  memory: `${Math.round(totalmem() / 1e9)} GB`,
  ...versionsOf(['@google-cloud/functions-framework', 'googleapis', '@google-cloud/secret-manager', 'nodemailer', 'resend', 'esbuild']),
};
const baseline = readBaseline();
const figures: Figure[] = [];
const began = loadavg();
say(
  Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(', '),
);
{
  await using laptop = await prepare();
  for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
    const started = performance.now();
    const measured = (await BENCHES[name]?.(laptop, values.quick ?? false)) ?? [];
    figures.push(...measured);
    say(`\n${name} (${((performance.now() - started) / 1_000).toFixed(0)} s)`);
    for (const figure of measured) say(lineOf(figure));
  }
}
const load = { before: began[0] ?? 0, after: loadavg()[0] ?? 0 };
say(
  `\nLoad of the machine before and after: ${load.before.toFixed(1)}, ${load.after.toFixed(1)}. Ratios are formed per round; they bear a load that figures do not.`,
);
if (values.json)
  console.log(JSON.stringify({ machine, load, figures: figures.map((figure) => ({ ...figure, verdict: judge(figure) })) }, null, 2));
if (values.save) {
  const measured = new Map(figures.map((figure) => [figure.id, figure]));
  // A whole run replaces all of it, and so drops the rows of measurements that are no more.
  const kept = positionals.length > 0 ? (baseline?.figures ?? []).map((figure) => measured.get(figure.id) ?? figure) : [];
  const added = figures.filter(({ id }) => !kept.some((figure) => figure.id === id));
  const next: Kept = { machine, load, figures: [...kept, ...added] };
  writeFileSync(BASELINE, `${JSON.stringify(next, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value), 2)}\n`);
  writePage(next);
  if (figures.some(({ id }) => id.startsWith('curve.')))
    writeFileSync(CHART, chart(panels(figures), 'How the cost of an email grows with the work'));
  say('Kept as the baseline, and written into docs/performance.md.');
}

/** What a figure is judged and compared by. */
function headOf({ ours, ratio }: Figure): Range {
  return ratio ?? ours;
}

function lineOf(figure: Figure): string {
  const { id, what, unit, ours, peer, ratio, note } = figure;
  const verdict = judge(figure);
  const before = baseline?.figures.find((one) => one.id === id);
  const change = before ? ` (baseline ${number(headOf(before).median)})` : '';
  const limit = limitOf(figure.target);
  return [
    `  ${what}`,
    `    ours ${range(ours)} ${unit}${peer ? `, ${peer.name} ${range(peer.range)} ${unit}` : ''}`,
    ratio ? `    ratio ${range(ratio)}${change}` : change ? `   ${change}` : '',
    limit ? `    target ${limit}: ${verdict === 'stretch' ? 'met, and the stretch' : verdict}` : '',
    note ? `    ${note}` : '',
  ]
    .filter(Boolean)
    .join('\n');
}

function versionsOf(names: readonly string[]): Record<string, string> {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, { version?: string }> };
  return Object.fromEntries(names.map((name) => [name, lock.packages[`node_modules/${name}`]?.version ?? '']));
}

function readBaseline(): Kept | null {
  try {
    return JSON.parse(readFileSync(BASELINE, 'utf8')) as Kept;
  } catch {
    return null;
  }
}
