import { readFileSync, writeFileSync } from 'node:fs';
import type { Place, Step } from '../../../functions/diagnose/likelihood.ts';

/** What `explain` said to one text when it first saw it: each shown cause's confidence, and whether it was the right one. */
interface FirstSight {
  readonly round: number;
  readonly program: string;
  readonly answers: readonly (readonly [confidence: number, right: boolean])[];
}

/** The answers as they were given before any row was changed for these texts; a later catalogue would know them too well. */
export const FIRST_SIGHT: readonly FirstSight[] = readFileSync('test/diagnose/threads/first-sight.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as FirstSight);

const LEAST = 8;

/** Monotone steps (pool adjacent violators): the share that is right never falls with the confidence, and no step has fewer than eight answers. */
export function fit(place: Place, texts: readonly FirstSight[] = FIRST_SIGHT): Step[] {
  const answers = texts.flatMap((text) => (place === 'first' ? text.answers.slice(0, 1) : text.answers.slice(1)));
  const steps: [number, number, number][] = [];
  for (const [from, right] of answers.toSorted((a, b) => a[0] - b[0])) {
    const last = steps.at(-1);
    if (last?.[0] === from) {
      last[1] += Number(right);
      last[2]++;
    } else steps.push([from, Number(right), 1]);
  }
  for (let at = 1; at < steps.length; ) {
    const [below, above] = [steps[at - 1], steps[at]];
    if (!below || !above) break;
    const falls = below[1] / below[2] >= above[1] / above[2];
    const small = below[2] < LEAST || (above[2] < LEAST && at === steps.length - 1);
    if (falls || small) {
      below[1] += above[1];
      below[2] += above[2];
      steps.splice(at, 1);
      at = Math.max(1, at - 1);
    } else at++;
  }
  return steps;
}

const FILE = 'functions/diagnose/likelihood.ts';

/** The source of `likelihood.ts` with the fitted steps in it. */
export function withFit(source: string): string {
  const lines = (place: Place): string => {
    const steps = fit(place).map((step) => `    [${step.join(', ')}],\n`);
    return `  ${place}: [\n${steps.join('')}  ],\n`;
  };
  return source.replace(/(\/\/ fitted\n)[\s\S]*?( *\/\/ end of fitted)/, `$1${lines('first')}${lines('later')}$2`);
}

export function writeFit(): void {
  writeFileSync(FILE, withFit(readFileSync(FILE, 'utf8')));
}
