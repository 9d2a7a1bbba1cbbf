import type { Entry } from '../../mail/delivery/ledger.ts';
import type { Caller } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { EmailPage, EmailPageQuery } from '../../runtime/function-context.ts';
import { recordOf } from './email-record.ts';

const LIMIT_MAX = 100;
const LIMIT = 20;

/** The query of `GET /emails`. `find` reads one of the caller's own emails. Throws MailFailure: request_invalid. */
export async function readListRequest(
  url: string | undefined,
  caller: Caller,
  find: (id: string) => Promise<Entry>,
): Promise<EmailPageQuery> {
  const query = new URLSearchParams((url ?? '').split('?')[1] ?? '');
  const limit = query.get('limit') ?? String(LIMIT);
  const [after, before] = [query.get('after'), query.get('before')];
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > LIMIT_MAX)
    throw new MailFailure('request_invalid', `The \`limit\` must be a number from 1 to ${LIMIT_MAX}.`);
  if (after !== null && before !== null) throw new MailFailure('request_invalid', 'Give `after` or `before`, not both.');
  const id = after ?? before;
  if (id === null) return { caller: caller.id, limit: Number(limit), cursor: null };
  const direction = after === null ? 'before' : 'after';
  const entry = await find(id.toLowerCase()).catch((error: unknown) => {
    if (!(error instanceof MailFailure) || error.code !== 'mail_unknown') throw error;
    throw new MailFailure('request_invalid', `The \`${direction}\` must be the id of one of your emails.`);
  });
  return { caller: caller.id, limit: Number(limit), cursor: { direction, entry } };
}

/** The page in Resend's form. */
export function listAnswer({ entries, hasMore }: EmailPage): Record<string, unknown> {
  const data = entries.map((entry) => {
    const { object: _, html: __, text: ___, ...rest } = recordOf(entry);
    return rest;
  });
  return { object: 'list', has_more: hasMore, data };
}
