import { createHash } from 'node:crypto';
import { json } from '../../google/http/exchange.ts';
import { authorisation } from '../../google/http/google-client.ts';
import { pseudonym } from '../../mail/model/address.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { type Check, type CheckFinding, failed, passed, unclear } from './check.ts';
import type { CheckContext } from './check-context.ts';

const DAY_MS = 24 * 60 * 60_000;

interface Row {
  readonly document?: { readonly fields?: Readonly<Record<string, { readonly stringValue?: string; readonly integerValue?: string }>> };
}

/** What the ledger remembers of quotas in the last day: Google says nothing of them until it refuses. */
export function quotaCheck(patient: CheckContext, mailbox: Mailbox): Check {
  const name = `${mailbox.address} quota`;
  return { name, needs: ['credentials'], run: () => quota(patient, name, mailbox.address) };
}

async function quota({ operator, exchange, self }: CheckContext, name: string, address: string): Promise<CheckFinding> {
  const { config, database, urls } = operator.settings;
  const codes = ['quota_daily', 'rate_limited'].map((code) => ({ stringValue: code }));
  // One field only: Firestore has an index of its own for that, so that no composite one is needed.
  const where = { fieldFilter: { field: { fieldPath: 'code' }, op: 'IN', value: { arrayValue: { values: codes } } } };
  const body = JSON.stringify({ structuredQuery: { from: [{ collectionId: 'mails' }], where, limit: 200 } });
  const token = await self();
  const headers = { ...authorisation(token), 'content-type': 'application/json' };
  const reply = await exchange({
    method: 'POST',
    url: `${urls.firestore}/v1/${database}/documents:runQuery`,
    headers,
    body,
    timeoutMs: 10_000,
  }).catch(() => null);
  const rows = reply?.status === 200 ? (json(reply) as Row[] | null) : null;
  if (!Array.isArray(rows)) return unclear(name, `the ledger could not be asked${reply ? ` (${reply.status})` : ''}`);
  const shown =
    config.ledger.addresses === 'plain'
      ? address
      : pseudonym(address, { digest: (data) => createHash('sha256').update(data).digest('hex') });
  const recent = rows.flatMap(({ document }) => {
    const fields = document?.fields ?? {};
    const mine = fields['mailbox']?.stringValue === shown && Number(fields['acceptedAt']?.integerValue) > Date.now() - DAY_MS;
    return mine ? [{ code: fields['code']?.stringValue ?? '', notBefore: Number(fields['notBefore']?.integerValue ?? 0) }] : [];
  });
  const parked = recent.filter(({ code }) => code === 'quota_daily');
  const until = Math.max(0, ...parked.map(({ notBefore }) => notBefore));
  if (until > Date.now())
    return failed(
      name,
      'daily-limit',
      `${parked.length} mails wait for the daily limit until ${new Date(until).toISOString()}`,
      'Wait until then, send from another mailbox, or lower `limits` of the callers.',
    );
  if (recent.length > 0)
    return unclear(
      name,
      `${recent.length} mails of the last day met a limit of Gmail's`,
      'Set `limits` of the mailbox below what Gmail takes.',
    );
  return passed(name, 'no mail of the last day met a limit');
}
