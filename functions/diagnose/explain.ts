import type { Retry } from '../mail/model/failure-table.ts';
import { CATALOGUE, type RowId } from './catalogue/catalogue.ts';
import { NETWORK_ROWS } from './catalogue/network-rows.ts';
import type { CatalogueRow, Clue } from './catalogue/row.ts';
import { CLIENT_SOURCES, SOURCES } from './catalogue/sources.ts';
import { TLS_ROWS } from './catalogue/tls-rows.ts';
import { aboutCause, type Cause } from './causes/causes.ts';
import { fixFor } from './causes/program-fixes.ts';
import { pageFor, reasonsFor } from './causes/program-reasons.ts';
import { type CueName, type FoundCue, firstOf, readCues, speaksOf } from './input/cues.ts';
import { lastAnswerAt } from './input/dialogue.ts';
import { fillFacts, readFacts } from './input/facts.ts';
import { maskPart, type Span, secretSpans } from './input/mask.ts';
import { type Pasted, readings } from './input/normalise.ts';
import { type Likelihood, likelihood } from './likelihood.ts';

/** One likely cause of what was pasted. `confidence` is 0 to 1; `evidence` holds lines of the text, masked. */
export interface Match {
  readonly id: RowId;
  readonly cause: Cause;
  readonly confidence: number;
  /** What such a confidence was worth on texts that were new. */
  readonly likelihood: Likelihood;
  readonly evidence: readonly string[];
  readonly fix: readonly string[];
  readonly retry: Retry;
  readonly wait: string;
  readonly said: string;
  readonly summary: string;
  readonly because: readonly string[];
  readonly likely: readonly string[];
  readonly avoided: string;
  readonly source: string;
}

export interface Explanation {
  /** Best first, each cause once; empty where nothing was recognised. */
  readonly matches: readonly Match[];
}

/** Reads an error text of any make: what Google said, why, and what fixes it. Offline, and no secret comes out. */
export function explain(text: string): Explanation {
  const { pasted, judged } = readings(text)
    .map((pasted) => ({ pasted, judged: judgeAll(pasted) }))
    .reduce((best, other) => ((other.judged[0]?.confidence ?? 0) > (best.judged[0]?.confidence ?? 0) ? other : best));
  const secrets = secretSpans(pasted.lines.join('\n'));
  const facts = readFacts(pasted.flat);
  const shown = { flat: pasted.flat, token: speaksOf('token', pasted.flat) };
  const seen = new Set<Cause>();
  const matches: Match[] = [];
  for (const { row, confidence, at, helped } of judged) {
    if (seen.has(row.cause)) continue;
    seen.add(row.cause);
    const about = aboutCause(row.cause);
    const spots = [at, ...helped.map((one) => one.at)].filter((one) => one !== null);
    matches.push({
      id: row.id as RowId,
      cause: row.cause,
      confidence,
      likelihood: likelihood(confidence, matches.length === 0 ? 'first' : 'later'),
      evidence: [...new Set(spots.map((spot) => quote(spot, pasted, secrets)))],
      fix: (row.fix ?? fixFor(row.cause, shown, row.usual ?? about.fix)).map((step) => fillFacts(step, facts)),
      retry: row.retry,
      wait: row.wait ?? WAITS[row.retry],
      said: row.said,
      summary: row.summary ?? about.summary,
      because: [...new Set(helped.map((one) => one.says))],
      likely: reasonsFor(row.id, pasted.flat, row.likely),
      avoided: about.avoided,
      source: (CLIENT_SOURCES.has(row.source) ? pageFor(pasted.flat) : null) ?? SOURCES[row.source],
    });
  }
  return { matches };
}

const WAITS: Record<Retry, string> = {
  never: 'Not before this is fixed: until then the same call fails again.',
  soon: 'Retry with growing pauses.',
  later: 'Retry after hours, not before: keep it in a queue.',
  ask: 'Ask first whether the email went out; sending again without asking can send it twice.',
  person: 'Not by a program: look into the Sent folder first, then decide.',
};

/** Every row that fits, the likeliest first. */
function judgeAll(pasted: Pasted): Judged[] {
  const cues = readCues(pasted);
  return CATALOGUE.flatMap((row) => judge(row, pasted, cues) ?? []).sort((a, b) => b.confidence - a.confidence);
}

interface Judged {
  readonly row: CatalogueRow;
  readonly confidence: number;
  readonly at: RegExpExecArray;
  /** The cues that support it. */
  readonly helped: readonly FoundCue[];
}

const FLOOR = 0.1;
const CEILING = 0.99;

function judge(row: CatalogueRow, pasted: Pasted, cues: ReadonlyMap<CueName, FoundCue>): Judged | null {
  const spot = (clue: Clue): FoundCue | null => {
    if (typeof clue === 'string') return cues.get(clue) ?? null;
    const at = firstOf([clue], pasted.flat);
    return at && { says: '', at };
  };
  const vetoes = row.unless ?? [];
  const at = firstOf(row.any, pasted.flat, (hit) => !vetoes.includes('foreign-service') || !isForeign(hit, pasted, cues));
  if (!at || isOvercome(row, at, pasted.flat)) return null;
  if (vetoes.some((clue) => clue !== 'foreign-service' && spot(clue)) || !(row.needs ?? []).every(spot)) return null;
  let confidence = row.base;
  const helped = (row.needs ?? []).map(spot).filter((one) => one !== null);
  for (const [clue, by] of row.weigh ?? []) {
    const found = spot(clue);
    if (!found) continue;
    confidence += by;
    if (by > 0) helped.push(found);
  }
  if (confidence < FLOOR) return null;
  return { row, confidence: Math.round(Math.min(confidence, CEILING) * 100) / 100, at, helped: helped.filter((one) => one.says !== '') };
}

/** Whether another service is named where the error stands, on its line or beside it, and its line speaks of no mail. */
function isForeign(hit: RegExpExecArray, pasted: Pasted, cues: ReadonlyMap<CueName, FoundCue>): boolean {
  if (!cues.has('foreign-service')) return false;
  const first = pasted.lineAt(hit.index);
  const last = pasted.lineAt(hit.index + Math.max(hit[0].length - 1, 0));
  const around = (by: number): string => pasted.lines.slice(Math.max(first - by, 0), last + by + 1).join(' ');
  if (speaksOf('mail', around(0))) return false;
  return speaksOf('foreign-service', around(1));
}

const EARLY: ReadonlySet<string> = new Set([...NETWORK_ROWS, ...TLS_ROWS, { id: 'credential-url-broken' }].map(({ id }) => id));

/** A fault of network, TLS or a setting's form with an answer of Gmail's after it: the client came through, by another address or at another try. */
const isOvercome = ({ id }: CatalogueRow, { index }: RegExpExecArray, flat: string): boolean => EARLY.has(id) && index < lastAnswerAt(flat);

const QUOTE_CHARS = 240;

/** What was recognised, in whole words and nothing around it, masked, and cut where it is long. */
function quote(hit: RegExpExecArray, { flat }: Pasted, secrets: readonly Span[]): string {
  const before = flat.lastIndexOf(' ', hit.index) + 1;
  const last = hit.index + Math.max(hit[0].trimEnd().length, 1);
  const after = flat.indexOf(' ', last);
  const words = maskPart(flat, secrets, before, after === -1 ? flat.length : after);
  return words.length <= QUOTE_CHARS ? words : `${words.slice(0, QUOTE_CHARS)} …`;
}
