import type { Mailbox } from '../../mail/model/config.ts';
import { type FailureCode, toFailure } from '../../mail/model/failure.ts';
import { type Finding, type Inspection, inspectionOf } from '../../mail/model/inspection.ts';
import { covers, SCOPE_MAIL } from '../../mail/model/scopes.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import type { GoogleUrls } from '../../runtime/google-urls.ts';
import { type Call, type Exchange, json } from '../http/exchange.ts';

/** Mints a token for the mailbox, as an invocation would. */
export type Mint = (sender: { readonly mailbox: Mailbox }) => Promise<AccessToken>;

const good = (check: Finding['check'], detail: string): Finding => ({ check, ok: true, code: null, detail });
const bad = (check: Finding['check'], code: FailureCode, detail: string): Finding => ({ check, ok: false, code, detail });
const untold = (check: Finding['check'], detail: string): Finding => ({ check, ok: null, code: null, detail });

// users.settings.sendAs.list takes any one of them.
const READS_ALIASES = [
  SCOPE_MAIL,
  'https://www.googleapis.com/auth/gmail.modify',
  'https://www.googleapis.com/auth/gmail.readonly',
  'https://www.googleapis.com/auth/gmail.settings.basic',
];
const OF_THE_GRANT = new Set<FailureCode>(['grant_missing', 'grant_unreadable', 'grant_malformed', 'identity_refused']);

/** Looks at a mailbox's grant as far as its own scopes allow, and sends nothing. Never throws. */
export async function inspectMailbox(mailbox: Mailbox, mint: Mint, urls: GoogleUrls, exchange: Exchange): Promise<Inspection> {
  const token = await mint({ mailbox }).catch(toFailure);
  if (token instanceof Error) {
    const findings = OF_THE_GRANT.has(token.code)
      ? [bad('grant', token.code, token.message)]
      : [good('grant', 'readable'), bad('token', token.code, token.message)];
    return inspectionOf(mailbox.address, findings);
  }
  const minted = [good('grant', mailbox.grant === 'delegation' ? 'no secret is needed' : 'readable'), good('token', 'minted')];
  const about = await tokenInfo(token, urls, exchange);
  if (!about) return inspectionOf(mailbox.address, [...minted, untold('scope', 'tokeninfo did not answer')]);
  const aliases = mailbox.aliases.length > 0 ? [await aliasFinding(mailbox, about.scopes, token, urls, exchange)] : [];
  return inspectionOf(mailbox.address, [...minted, scopeFinding(mailbox, about.scopes), accountFinding(mailbox, about.email), ...aliases]);
}

function scopeFinding({ via }: Mailbox, scopes: readonly string[]): Finding {
  return covers(scopes, via) ? good('scope', `fits via: ${via}`) : bad('scope', 'scope_missing', `does not fit via: ${via}`);
}

function accountFinding({ address, grant }: Mailbox, email: string | null): Finding {
  if (grant !== 'refresh-token') return good('account', 'asked for by name');
  if (email === null) return untold('account', 'the grant has no scope that shows its address');
  return email === address ? good('account', 'is the mailbox') : bad('account', 'account_mismatch', 'is another one');
}

async function aliasFinding(
  { aliases }: Mailbox,
  scopes: readonly string[],
  token: AccessToken,
  urls: GoogleUrls,
  exchange: Exchange,
): Promise<Finding> {
  if (!READS_ALIASES.some((scope) => scopes.includes(scope)))
    return untold('aliases', 'the scope does not allow to look; Gmail rewrites From where one is not verified');
  const call: Call = {
    method: 'GET',
    url: `${urls.gmail}/gmail/v1/users/me/settings/sendAs`,
    headers: { authorization: `Bearer ${token.secret.reveal()}` },
    timeoutMs: 10_000,
  };
  const body = await exchange(call).then(json, () => null);
  const list = (body as { sendAs?: { sendAsEmail?: string; isPrimary?: boolean; verificationStatus?: string }[] } | null)?.sendAs;
  if (!list) return untold('aliases', 'Gmail did not list them');
  const verified = list
    .filter(({ isPrimary, verificationStatus }) => isPrimary || verificationStatus === 'accepted')
    .map(({ sendAsEmail }) => sendAsEmail?.toLowerCase());
  const missing = aliases.filter((alias) => !verified.includes(alias)).length;
  return missing === 0 ? good('aliases', 'verified') : bad('aliases', 'alias_unverified', `${missing} of ${aliases.length} not verified`);
}

/** What Google says of an access token: its scopes, and its account's address where a scope shows it. */
async function tokenInfo(
  token: AccessToken,
  urls: GoogleUrls,
  exchange: Exchange,
): Promise<{ scopes: string[]; email: string | null } | null> {
  const body = new URLSearchParams({ access_token: token.secret.reveal() }).toString();
  const call: Call = {
    method: 'POST',
    url: urls.tokenInfo,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
    timeoutMs: 10_000,
  };
  const reply = await exchange(call).catch(() => null);
  const about = reply?.status === 200 ? (json(reply) as { scope?: unknown; email?: unknown } | null) : null;
  if (typeof about?.scope !== 'string') return null;
  return { scopes: about.scope.split(' '), email: typeof about.email === 'string' ? about.email.toLowerCase() : null };
}
