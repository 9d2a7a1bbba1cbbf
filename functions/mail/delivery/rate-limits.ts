import type { Caller, Limits, Mailbox } from '../model/config.ts';
import { MailFailure } from '../model/failure.ts';
import type { Counter } from './ledger.ts';
import type { Quota } from './outcome.ts';
import type { Ports } from './ports.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const KEEP_MS = DAY_MS; // a counter is not needed after its window; Firestore deletes it up to a day later

/** One limit that an email counts against, in the current window of time. */
export interface RateLimit {
  readonly whose: 'API key' | 'mailbox';
  readonly code: 'limit_minute' | 'limit_day';
  readonly limit: number;
  readonly windowMs: number;
  /** When the window ends, in milliseconds since the epoch. */
  readonly until: number;
  readonly counter: Counter;
}

export interface LimitCheck {
  readonly failure: MailFailure | null;
  /** True where the caller's own limit is reached. */
  readonly own: boolean;
  /** What remains of the caller's own limit, where there is one. */
  readonly quota: Quota | null;
  /** Decrements the counters again: an attempt that provably sent nothing does not count. */
  refund(): Promise<void>;
}

/**
 * The limits that an email counts against: those of its caller and of its mailbox. For null, the limits of that side do not apply.
 */
export function limitsFor(caller: Caller | null, mailbox: Mailbox | null, ports: Pick<Ports, 'now' | 'digest'>): RateLimit[] {
  return [
    ...limitsOf('API key', caller?.id ?? '', caller?.limits, ports),
    ...limitsOf('mailbox', mailbox?.address ?? '', mailbox?.limits, ports),
  ];
}

export const countersOf = (rules: readonly RateLimit[]): Counter[] => rules.map(({ counter }) => counter);

/**
 * Checks the counters that were counted in the same commit as the claim. A refused email is not counted. Never throws.
 */
export async function checkLimits(rules: readonly RateLimit[], counts: readonly number[], ports: Ports): Promise<LimitCheck> {
  const full = rules.filter(({ limit }, index) => (counts[index] ?? 0) > limit).sort((a, b) => b.until - a.until)[0];
  const quota = quotaOf(rules, counts, full !== undefined);
  const giveBack = async (): Promise<void> => {
    if (rules.length > 0) await ports.ledger.count(countersOf(rules), -1).catch(() => null);
  };
  if (!full) return { failure: null, own: false, quota, refund: giveBack };
  await giveBack(); // else a caller that keeps asking would use up its whole day in a minute
  const unit = full.code === 'limit_minute' ? 'minute' : 'day';
  const failure = new MailFailure(full.code, `This ${full.whose} may send ${full.limit} emails per ${unit}.`, full.until);
  return { failure, own: full.whose === 'API key', quota, refund: async () => {} };
}

function limitsOf(whose: RateLimit['whose'], name: string, limits: Limits | undefined, ports: Pick<Ports, 'now' | 'digest'>): RateLimit[] {
  const rule = (code: RateLimit['code'], limit: number | null | undefined, windowMs: number): RateLimit[] => {
    if (limit === null || limit === undefined) return [];
    const window = Math.floor(ports.now() / windowMs);
    const until = (window + 1) * windowMs;
    const subject = ports.digest(`${whose}\n${name}`).slice(0, 32);
    return [{ whose, code, limit, windowMs, until, counter: { name: `${subject}-${code.slice(6)}-${window}`, expireAt: until + KEEP_MS } }];
  };
  return [...rule('limit_minute', limits?.perMinute, MINUTE_MS), ...rule('limit_day', limits?.perDay, DAY_MS)];
}

/** Shows only the caller's own limit: the mailbox's limit would tell the caller how much others send. */
function quotaOf(rules: readonly RateLimit[], counts: readonly number[], refused: boolean): Quota | null {
  const index = rules.findIndex(({ whose }) => whose === 'API key');
  const rule = rules[index];
  if (!rule) return null;
  const used = (counts[index] ?? 0) - (refused ? 1 : 0);
  return { limit: rule.limit, remaining: Math.max(0, rule.limit - used), until: rule.until, windowMs: rule.windowMs };
}
