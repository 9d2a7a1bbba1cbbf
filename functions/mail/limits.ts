import type { Caller, Limits, Mailbox } from './config.ts';
import { asFailure, MailFailure } from './failure.ts';
import type { Counter } from './ledger.ts';
import type { Quota } from './outcome.ts';
import type { Ports } from './ports.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const KEEP_MS = DAY_MS; // a counter is of no use after its window; the TTL policy needs a day anyway

interface Rule {
  readonly whose: 'API key' | 'mailbox';
  readonly code: 'limit_minute' | 'limit_day';
  readonly limit: number;
  readonly windowMs: number;
  /** When the window ends, in milliseconds since the epoch. */
  readonly until: number;
  readonly counter: Counter;
}

export interface Admission {
  readonly failure: MailFailure | null;
  /** What is left of the caller's own limit, where there is one. */
  readonly quota: Quota | null;
  /** Takes the count back: an attempt that provably sent nothing uses nothing up. */
  giveBack(): Promise<void>;
}

/**
 * Counts one mail against the limits of its caller and of its mailbox: one commit for all of them, none where no limit
 * is configured. A mail that is refused is not counted. Never throws: what goes wrong is the failure.
 */
export async function admit(caller: Caller, mailbox: Mailbox, ports: Ports): Promise<Admission> {
  const rules = [...rulesOf('API key', caller.id, caller.limits, ports), ...rulesOf('mailbox', mailbox.address, mailbox.limits, ports)];
  const nothing = async (): Promise<void> => {};
  if (rules.length === 0) return { failure: null, quota: null, giveBack: nothing };
  const counters = rules.map(({ counter }) => counter);
  try {
    const counts = await ports.ledger.count(counters, 1);
    const full = rules.filter(({ limit }, index) => (counts[index] ?? 0) > limit).sort((a, b) => b.until - a.until)[0];
    const quota = quotaOf(rules, counts, full !== undefined);
    const giveBack = async (): Promise<void> => void (await ports.ledger.count(counters, -1).catch(() => null));
    if (!full) return { failure: null, quota, giveBack };
    await giveBack(); // else a caller that keeps asking uses its whole day up in a minute
    const unit = full.code === 'limit_minute' ? 'minute' : 'day';
    return {
      failure: new MailFailure(full.code, `This ${full.whose} may send ${full.limit} mails per ${unit}.`, full.until),
      quota,
      giveBack: nothing,
    };
  } catch (error) {
    return { failure: asFailure(error), quota: null, giveBack: nothing };
  }
}

function rulesOf(whose: Rule['whose'], name: string, limits: Limits | undefined, ports: Ports): Rule[] {
  const rule = (code: Rule['code'], limit: number | null | undefined, windowMs: number): Rule[] => {
    if (limit === null || limit === undefined) return [];
    const window = Math.floor(ports.now() / windowMs);
    const until = (window + 1) * windowMs;
    const subject = ports.digest(`${whose}\n${name}`).slice(0, 32);
    return [{ whose, code, limit, windowMs, until, counter: { name: `${subject}-${code.slice(6)}-${window}`, expireAt: until + KEEP_MS } }];
  };
  return [...rule('limit_minute', limits?.perMinute, MINUTE_MS), ...rule('limit_day', limits?.perDay, DAY_MS)];
}

/** Only the caller's own limit is told: the mailbox's would say how much others send. */
function quotaOf(rules: readonly Rule[], counts: readonly number[], refused: boolean): Quota | null {
  const index = rules.findIndex(({ whose }) => whose === 'API key');
  const rule = rules[index];
  if (!rule) return null;
  const used = (counts[index] ?? 0) - (refused ? 1 : 0);
  return { limit: rule.limit, remaining: Math.max(0, rule.limit - used), until: rule.until, windowMs: rule.windowMs };
}
