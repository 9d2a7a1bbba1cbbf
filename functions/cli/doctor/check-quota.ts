import { createHash } from 'node:crypto';
import { pseudonym } from '../../mail/model/address.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { queryMails } from '../common/query-mails.ts';
import { type CheckFinding, type DoctorCheck, failed, passed, unclear } from './check.ts';
import type { CheckContext } from './check-context.ts';

const DAY_MS = 24 * 60 * 60_000;

/** What the ledger remembers of quotas in the last day: Google says nothing of them until it refuses. */
export function quotaCheck(context: CheckContext, mailbox: Mailbox): DoctorCheck {
  const name = `${mailbox.address} quota`;
  return { name, needs: ['credentials'], run: () => quota(context, name, mailbox.address) };
}

async function quota({ operator }: CheckContext, name: string, address: string): Promise<CheckFinding> {
  const { config } = operator.settings;
  const values = ['quota_daily', 'rate_limited'].map((code) => ({ stringValue: code }));
  // One field only: Firestore has an index of its own for that, so that no composite one is needed.
  const reply = await queryMails(operator, { field: { fieldPath: 'code' }, op: 'IN', value: { arrayValue: { values } } }, 200);
  if (!reply?.data) return unclear(name, `the ledger could not be asked${reply ? ` (${reply.status})` : ''}`);
  const shown =
    config.ledger.addresses === 'plain'
      ? address
      : pseudonym(address, { digest: (data) => createHash('sha256').update(data).digest('hex') });
  const recent = reply.data.flatMap(({ document }) => {
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
