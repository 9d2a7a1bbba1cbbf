import { readFileSync, writeFileSync } from 'node:fs';
import { type Figure, judge, type Range, type Target } from './figures.ts';

const PAGE = 'docs/performance.md';
const FIGURES = /(<!-- figures -->\n)[\s\S]*?(<!-- end of figures -->)/;

/** What is kept of a measurement. */
export interface Kept {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly load: { readonly before: number; readonly after: number };
  readonly figures: readonly Figure[];
}

/** Writes the kept figures into the page, but for the points of the curves, which the chart shows. */
export function writePage({ machine, load, figures }: Kept): void {
  const rows = figures.filter(({ id }) => !id.startsWith('curve.')).map(row);
  const where = `Node ${machine['node']}, ${machine['processor']}, load of the machine before and after ${load.before.toFixed(1)} and ${load.after.toFixed(1)}; ${Object.entries(
    machine,
  )
    .filter(([name]) => !['node', 'processor', 'memory'].includes(name))
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.`;
  const table = ['| | ours | peer | ratio | target | |', '|---|---|---|---|---|---|', ...rows].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(
    PAGE,
    page.replace(FIGURES, (_, begin: string, end: string) => `${begin}${table}\n\n${where}\n${end}`),
  );
}

function row(figure: Figure): string {
  const { what, unit, ours, peer, ratio, target, note } = figure;
  const verdict = judge(figure);
  const said = verdict === 'stretch' ? 'met, stretch too' : verdict;
  return `| ${what} | ${range(ours)} ${unit} | ${peer ? `${peer.name} ${range(peer.range)} ${unit}` : ''} | ${ratio ? `**${range(ratio)}**` : ''} | ${limitOf(target)} | ${[said, note].filter(Boolean).join('; ')} |`;
}

/** The target as text; '' for none. */
export function limitOf(target: Target | undefined): string {
  if (!target) return '';
  const stretch = target.stretch === undefined ? '' : `, stretch ${target.stretch}`;
  return `${target.atMost === undefined ? '≥' : '≤'} ${target.atMost ?? target.atLeast}${stretch}`;
}

/** Three digits that count. */
export function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Least, middle and greatest; one number where they are one. */
export function range({ min, median, max }: Range): string {
  return min === max ? number(min) : `${number(min)}/${number(median)}/${number(max)}`;
}
