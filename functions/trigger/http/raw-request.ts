import type { IncomingMessage } from 'node:http';
import type { PreparedEmail } from '../../mail/message/prepared-email.ts';
import { type Address, parseAddress } from '../../mail/model/address.ts';
import type { Caller } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';

import type { FunctionContext } from '../../runtime/function-context.ts';
import { contentTypeOf, readBody } from '../common/body.ts';
import { checkedKey, idempotencyKey } from './idempotency-key.ts';

const HEADROOM_BYTES = 64 * 1024; // enough for a header section with 500 recipients in Bcc

/**
 * Reads `POST /v1/raw`: the body is a message/rfc822, the headers `x-envelope-from` and `x-envelope-to` (repeated, or
 * separated by commas) are its envelope. Without them, the message's own headers are. Throws MailFailure.
 */
export async function readRawOrder(
  req: IncomingMessage,
  caller: Caller,
  context: Pick<FunctionContext, 'config' | 'digest'>,
  timeoutMs: number,
): Promise<{ readonly draft: PreparedEmail; readonly key: string | null }> {
  if (contentTypeOf(req) !== 'message/rfc822')
    throw new MailFailure('request_invalid', 'The content type must be message/rfc822, and the body one message.');
  const own = idempotencyKey(req);
  const envelope = readEnvelope(req);
  const body = await readBody(req, { timeoutMs, headroom: HEADROOM_BYTES });
  const { parseRawMessage, prepareRawMessage } = await import('../../mail/message/raw-message.ts'); // loaded only for raw messages
  const message = parseRawMessage(body, 'rawBody' in req ? 0 : HEADROOM_BYTES);
  const key = own ?? (message.key === null ? null : checkedKey(message.key));
  return { draft: prepareRawMessage(message, envelope, caller, context.config, context.digest), key };
}

function readEnvelope({ headers, url = '' }: IncomingMessage): { from: Address | null; to: Address[] } {
  const query = new URLSearchParams(url.split('?').slice(1).join('?'));
  // Cloud Run and proxies log the URL, so no address may be in it. If it were ignored, the email would reach other recipients.
  if (query.has('from') || query.has('to'))
    throw new MailFailure(
      'request_invalid',
      'Invalid envelope: the query must not hold addresses; use the headers x-envelope-from and x-envelope-to.',
    );
  const given = (name: 'from' | 'to'): Address[] =>
    [headers[`x-envelope-${name}`] ?? []]
      .flat()
      .flatMap((value) => value.split(','))
      .filter((part) => part.trim() !== '' && part.trim() !== '<>')
      .map((part) => {
        const one = parseAddress(part.trim());
        if (one) return { name: '', address: one.address };
        throw new MailFailure('request_invalid', `Invalid envelope: \`${name}\` must hold plain addresses such as a@example.com.`);
      });
  const [from = null, ...others] = given('from').filter(({ address }, index, all) => all[index - 1]?.address !== address);
  if (others.length > 0) throw new MailFailure('request_invalid', 'Invalid envelope: more than one `from`.');
  return { from, to: given('to') };
}
