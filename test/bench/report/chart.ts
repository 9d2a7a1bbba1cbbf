export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** What the horizontal axis counts; its scale is logarithmic. */
  readonly x: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** A logarithmic vertical axis; else it begins at nought. */
  readonly log?: boolean;
}

const WIDTH = 480;
const HEIGHT = 276;
const LEFT = 56;
const RIGHT = 24;
const TOP = 60; // the label of the highest point stands below the title
const BOTTOM = 48;

/** Small line charts, two in a row, as an SVG that follows the reader's light or dark scheme. */
export function chart(panels: readonly Panel[], title: string): string {
  const rows = Math.ceil(panels.length / 2);
  const drawn = panels.map(
    (panel, index) => `<g transform="translate(${(index % 2) * WIDTH} ${Math.floor(index / 2) * HEIGHT})">${draw(panel)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * WIDTH} ${rows * HEIGHT}" role="img" aria-labelledby="t" font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="12">
<title id="t">${inXml(title)}</title>
<style>
  .ink { fill: #1b2433 } .soft { fill: #51617a } .axis { stroke: #b9c4d6 } .line { stroke: #2f5fb3; fill: none } .dot { fill: #2f5fb3 } .sheet { fill: #fbfcfe }
  @media (prefers-color-scheme: dark) { .ink { fill: #e8edf6 } .soft { fill: #a9b6cc } .axis { stroke: #45536b } .line { stroke: #8fb4ff } .dot { fill: #8fb4ff } .sheet { fill: #151b26 } }
</style>
<rect class="sheet" width="${2 * WIDTH}" height="${rows * HEIGHT}" rx="12"/>
${drawn.join('\n')}
</svg>
`;
}

function draw({ title, unit, x, points, log = false }: Panel): string {
  const across = scale(
    points.map((point) => Math.log10(point.x)),
    LEFT,
    WIDTH - RIGHT,
  );
  const height = (value: number): number => (log ? Math.log10(value) : value);
  const up = scale(
    [...points.map(({ y }) => height(y) * (log ? 1 : 1.15)), log ? Math.min(...points.map(({ y }) => height(y))) : 0],
    HEIGHT - BOTTOM,
    TOP,
  );
  const spots = points.map((point) => ({ at: across(Math.log10(point.x)), level: up(height(point.y)), ...point }));
  const floor = HEIGHT - BOTTOM;
  return [
    `<text class="ink" x="${LEFT}" y="24" font-weight="600">${inXml(title)}</text>`,
    `<line class="axis" x1="${LEFT}" y1="${floor}" x2="${WIDTH - RIGHT}" y2="${floor}"/>`,
    `<polyline class="line" stroke-width="2" points="${spots.map(({ at, level }) => `${at.toFixed(1)},${level.toFixed(1)}`).join(' ')}"/>`,
    ...spots.map(
      ({ at, level, x: value, y }) =>
        `<circle class="dot" cx="${at.toFixed(1)}" cy="${level.toFixed(1)}" r="3"/><text class="ink" x="${at.toFixed(1)}" y="${(level - 8).toFixed(1)}" text-anchor="middle">${brief(y)}</text><text class="soft" x="${at.toFixed(1)}" y="${floor + 16}" text-anchor="middle">${brief(value)}</text>`,
    ),
    `<text class="soft" x="${LEFT}" y="${floor + 34}">${inXml(x)}</text>`,
    `<text class="soft" x="${WIDTH - RIGHT}" y="24" text-anchor="end">${inXml(unit)}${log ? ', logarithmic' : ''}</text>`,
  ].join('');
}

/** Maps the span of the values to the span of the places. */
function scale(values: readonly number[], from: number, to: number): (value: number) => number {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

/** 24000000 as 24M, 0.537 as 0.54. */
function brief(value: number): string {
  if (value >= 1e6) return `${round(value / 1e6)}M`;
  if (value >= 1e3) return `${round(value / 1e3)}k`;
  return round(value);
}

const round = (value: number): string => (value >= 10 ? value.toFixed(0) : String(Number(value.toPrecision(2))));

const inXml = (text: string): string => text.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? '');
