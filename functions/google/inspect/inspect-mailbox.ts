import type { Mailbox } from '../../mail/model/config.ts';
import { type FailureCode, toFailure } from '../../mail/model/failure.ts';
import { type Finding, type Inspection, inspectionOf } from '../../mail/model/inspection.ts';
import { covers, SCOPE_MAIL } from '../../mail/model/scopes.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { GoogleUrls } from '../../runtime/google-urls.ts';
import { bad, CALLS, good, googleClient, type Mints, untold } from './google-asked.ts';

// users.settings.sendAs.list accepts any one of these scopes.
const READS_ALIASES = [
  SCOPE_MAIL,
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/gmail.readonly',
  'https://www.googleapis.com/auth/gmail.settings.basic',
];
const OF_THE_GRANT = new Set<FailureCode>(['grant_missing', 'grant_unreadable', 'grant_malformed', 'identity_refused']);

/**
 * Inspects a mailbox's grant as far as its own scopes allow, and sends nothing. The token is minted as for an email. Google's own
 * client libraries, loaded here, query the token and the mailbox. With `inboxTopic`, Gmail is asked to report new messages
 * there if the mailbox has `bounces`. Never throws.
 */
export async function inspectMailbox(mailbox: Mailbox, mints: Mints, urls: GoogleUrls, inboxTopic: string | null): Promise<Inspection> {
  const token = await mints.send({ mailbox }).catch(toFailure);
  if (token instanceof Error) {
    const findings = OF_THE_GRANT.has(token.code)
      ? [bad('grant', token.code, token.message)]
      : [good('grant', 'readable'), bad('token', token.code, token.message)];
    return inspectionOf(mailbox.address, findings);
  }
  const minted = [good('grant', mailbox.grant === 'delegation' ? 'no secret is needed' : 'readable'), good('token', 'minted')];
  const about = await tokenInfo(token, urls);
  if (!about) return inspectionOf(mailbox.address, [...minted, untold('scope', 'tokeninfo did not answer')]);
  const aliases = mailbox.aliases.length > 0 ? [await aliasFinding(mailbox, about.scopes, token, urls)] : [];
  const bounces = mailbox.bounces
    ? [await (await import('./inspect-bounces.ts')).bouncesFinding(mailbox, { scopes: about.scopes, token }, mints, urls, inboxTopic)]
    : [];
  return inspectionOf(mailbox.address, [
    ...minted,
    scopeFinding(mailbox, about.scopes),
    accountFinding(mailbox, about.email),
    ...aliases,
    ...bounces,
  ]);
}

function scopeFinding({ via }: Mailbox, scopes: readonly string[]): Finding {
  return covers(scopes, via) ? good('scope', `fits via: ${via}`) : bad('scope', 'scope_missing', `does not fit via: ${via}`);
}

function accountFinding({ address, grant }: Mailbox, email: string | null): Finding {
  if (grant !== 'refresh-token') return good('account', 'asked for by name');
  if (email === null) return untold('account', 'the grant has no scope that shows its address');
  return email === address ? good('account', 'is the mailbox') : bad('account', 'account_mismatch', 'is another one');
}

async function aliasFinding({ aliases }: Mailbox, scopes: readonly string[], token: AccessToken, urls: GoogleUrls): Promise<Finding> {
  if (!READS_ALIASES.some((scope) => scopes.includes(scope)))
    return untold('aliases', 'the scope does not allow to look; Gmail rewrites From where one is not verified');
  const { gmail_v1 } = (await import('googleapis/build/src/apis/gmail/v1.js')).default;
  const options = { auth: await googleClient(urls, token), rootUrl: `${urls.gmail}/`, ...CALLS };
  const { sendAs } = new gmail_v1.Gmail({}).users.settings;
  const list = await sendAs.list({ userId: 'me' }, options).then(
    ({ data }) => data.sendAs,
    () => null, // an error of the client may hold the token
  );
  if (!list) return untold('aliases', 'Gmail did not list them');
  const verified = list
    .filter(({ isPrimary, verificationStatus }) => isPrimary || verificationStatus === 'accepted')
    .map(({ sendAsEmail }) => sendAsEmail?.toLowerCase());
  const missing = aliases.filter((alias) => !verified.includes(alias)).length;
  return missing === 0 ? good('aliases', 'verified') : bad('aliases', 'alias_unverified', `${missing} of ${aliases.length} not verified`);
}

/** What Google's tokeninfo says of an access token: its scopes, and its account's address where a scope shows it. */
async function tokenInfo(token: AccessToken, urls: GoogleUrls): Promise<{ scopes: string[]; email: string | null } | null> {
  const about = await (await googleClient(urls, token)).getTokenInfo(token.secret.reveal()).catch(() => null);
  return about && { scopes: about.scopes, email: about.email?.toLowerCase() ?? null };
}
