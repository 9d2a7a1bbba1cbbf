import type { Mailbox } from '../../mail/model/config.ts';
import { toFailure } from '../../mail/model/failure.ts';
import type { Finding } from '../../mail/model/inspection.ts';
import { readsBounces } from '../../mail/model/scopes.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { GoogleUrls } from '../../runtime/google-urls.ts';
import { bad, CALLS, good, googleClient, type Mints } from './google-asked.ts';

/** What the mailbox's token for sending is, and covers. */
interface Sending {
  readonly scopes: readonly string[];
  readonly token: AccessToken;
}

/**
 * Whether bounces can be found in the mailbox. A service account asks for the scope by name, so only a mint tells. With a topic,
 * Gmail is asked to go on reporting what comes in: it does so for seven days, and wants to be asked daily.
 */
export async function bouncesFinding(
  mailbox: Mailbox,
  sending: Sending,
  mints: Mints,
  urls: GoogleUrls,
  topic: string | null,
): Promise<Finding> {
  const consented = mailbox.grant === 'refresh-token';
  const reading = consented ? readsBounces(sending.scopes) : 'headers';
  if (!reading) return bad('bounces', 'bounces_unreadable', 'the grant has no scope that reads headers');
  if (mailbox.via === 'smtp' && consented && reading === 'headers')
    return bad('bounces', 'bounces_unreadable', 'the grant has gmail.metadata too, which keeps Gmail from searching');
  const token = consented ? sending.token : await mints.bounces(mailbox).catch(toFailure);
  if (token instanceof Error) return bad('bounces', token.code === 'delegation_missing' ? 'bounces_unreadable' : token.code, token.message);
  if (topic === null) return good('bounces', 'can be found');
  const { gmail_v1 } = (await import('googleapis/build/src/apis/gmail/v1.js')).default;
  const options = { auth: await googleClient(urls, token), rootUrl: `${urls.gmail}/`, ...CALLS, retry: false };
  return new gmail_v1.Gmail({}).users
    .watch({ userId: 'me', requestBody: { topicName: topic, labelIds: ['INBOX'], labelFilterBehavior: 'INCLUDE' } }, options)
    .then(
      () => good('bounces', 'watched'),
      (error: { readonly status?: unknown }) => bad('bounces', 'bounces_unwatched', `Gmail answered ${Number(error.status) || 'nothing'}`),
    ); // of an error only its status: it may hold the token
}
