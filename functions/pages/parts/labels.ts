import type { LedgerRecordRow } from '../../fake-google/tables.ts';
import type { State } from '../../mail/delivery/ledger.ts';
import { FAILURE_CODES, type FailureCode, failureInfo } from '../../mail/model/failure.ts';
import { type Html, html } from './html.ts';

/** A state of the ledger for people: a sign that needs no colour, and its meaning. */
const STATES: Readonly<Record<State, readonly [sign: string, meaning: string]>> = {
  queued: ['…', 'Its message is in the queue; the worker takes it from there.'],
  scheduled: ['…', 'It goes out at the time that its caller asked for.'],
  claimed: ['…', 'A function works on it; nothing of the email has left.'],
  sending: ['…', 'Its upload session is in the ledger; bytes may have left.'],
  sent: ['✓', 'Gmail has it.'],
  failed: ['✕', 'It did not go out, and the same call would fail again.'],
  waiting: ['↻', 'Provably not sent. It may be tried again at its time.'],
  parked: ['‖', 'Provably not sent: a limit of hours. It waits for its time.'],
  unknown: ['?', 'Bytes left and no answer came. Gmail is asked before anything is sent again.'],
  canceled: ['✕', 'Its caller took it back before it went out.'],
};
const stateOf = (entry: LedgerRecordRow): State => (Object.hasOwn(STATES, String(entry['state'])) ? (entry['state'] as State) : 'unknown');

/** The state of an entry as a label; its meaning is in it for those who hover or use a screen reader. */
export function stateLabel(entry: LedgerRecordRow | null | undefined): Html {
  if (!entry)
    return html`<span class="state other" title="It did not come through mailgrant, or the ledger has forgotten it">not in the ledger</span>`;
  const state = stateOf(entry);
  const [sign] = STATES[state];
  return html`<span class="state ${state}" title="${meaningOf(entry)}"><span aria-hidden="true">${sign}</span> ${state}</span>`;
}

/** The meaning of an entry as a sentence: its code says more than its state. */
export const meaningOf = (entry: LedgerRecordRow): string => failureOf(entry['code'])?.summary ?? STATES[stateOf(entry)][1];

/** Cause and fix of a failure code; null for none. */
export function failureOf(code: unknown): { readonly summary: string; readonly fix: string } | null {
  return FAILURE_CODES.includes(code as FailureCode) ? failureInfo(code as FailureCode) : null;
}

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** A number of bytes for people. */
export function byteLabel(n: number): string {
  if (n < 1_000) return `${n} bytes`;
  return n < 1_000_000 ? `${(n / 1_000).toFixed(1)} kB` : `${(n / 1_000_000).toFixed(1)} MB`;
}

/** A time in this machine's zone: only the clock for today, with the date for other days. */
export function moment(ms: number): Html {
  const then = new Date(ms || 0);
  const pad = (n: number): string => String(n).padStart(2, '0');
  const date = (day: Date): string => `${day.getFullYear()}-${pad(day.getMonth() + 1)}-${pad(day.getDate())}`;
  const clock = [then.getHours(), then.getMinutes(), then.getSeconds()].map(pad).join(':');
  const today = date(then) === date(new Date());
  return html`<time datetime="${then.toISOString()}" title="${date(then)} ${clock}">${today ? clock : `${date(then)} ${clock.slice(0, 5)}`}</time>`;
}

/** A sentence of ours in which `…` marks text to type. */
export const prose = (text: string): Html =>
  html`${text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
