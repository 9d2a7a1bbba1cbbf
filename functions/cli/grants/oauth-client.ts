import { SecretString } from '../../mail/model/secret.ts';
import { CommandError } from '../common/refusal.ts';

/** The OAuth client that asks for consent. */
export interface OAuthClient {
  readonly id: string;
  readonly secret: SecretString;
  /** The redirect URI; null for any port of the loopback interface. */
  readonly redirect: string | null;
}

/**
 * Reads the JSON that the console downloads for an OAuth client: `{"installed": {…}}`, or `{"web": {…}}` if one of its redirect
 * URIs is plain http on the loopback interface with a port. Throws CommandError: client_unreadable, client_wrong_type.
 */
export function readOAuthClient(text: SecretString): OAuthClient {
  const file = parse(text.reveal());
  if (file['type'] === 'service_account')
    throw new CommandError('client_wrong_type', 'this is the key of a service account, not an OAuth client');
  if (file['refresh_token'] !== undefined) throw new CommandError('client_wrong_type', 'this is a grant, not an OAuth client');
  const installed = section(file['installed']);
  const web = section(file['web']);
  if (!installed && !web) throw new CommandError('client_unreadable', 'the JSON has neither "installed" nor "web" in it');
  const { client_id, client_secret, redirect_uris } = installed ?? web ?? {};
  if (typeof client_id !== 'string' || client_id === '') throw new CommandError('client_unreadable', 'the JSON has no client_id');
  if (/\s/.test(client_id)) throw new CommandError('client_unreadable', 'the client_id has a blank in it');
  if (typeof client_secret !== 'string' || client_secret === '')
    throw new CommandError('client_wrong_type', 'the client has no secret: it was made for Android, iOS or Chrome');
  const own = Array.isArray(redirect_uris) ? redirect_uris.find((one) => isLoopbackRedirect(String(one))) : undefined;
  if (!installed && own === undefined)
    throw new CommandError(
      'client_wrong_type',
      'the client is a Web application, and none of its redirect URIs is http on 127.0.0.1 with a port',
    );
  return { id: client_id, secret: new SecretString(client_secret), redirect: installed ? null : String(own) };
}

/** Plain http on the loopback interface, with a port that there is. */
export const isLoopbackRedirect = (uri: string): boolean =>
  /^http:\/\/(127\.0\.0\.1|localhost):\d{1,5}(\/[^?#]*)?$/.test(uri) && URL.canParse(uri) && Number(new URL(uri).port || 80) > 0;

function parse(text: string): Record<string, unknown> {
  try {
    const value = section(JSON.parse(text.replace(/^\uFEFF/, '')));
    if (value) return value;
  } catch {
    // the parser's message would quote the secret
  }
  throw new CommandError('client_unreadable', 'the OAuth client is not a JSON object');
}

const section = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
