import { MailFailure } from '../../mail/model/failure.ts';
import { SecretString } from '../../mail/model/secret.ts';

/** The parsed payload of a secret that holds a refresh token. */
export interface Credential {
  readonly clientId: string;
  readonly clientSecret: SecretString;
  readonly refreshToken: SecretString;
}

/**
 * Reads a secret's payload: JSON `{client_id, client_secret, refresh_token, address?}`. A payload that names another address than
 * the mailbox's is refused, so that no email is sent from the wrong account. Throws MailFailure: grant_malformed.
 */
export function readCredential(text: SecretString, mailbox: string): Credential {
  const payload = parse(text.reveal());
  const other = otherFile(payload);
  if (other) throw new MailFailure('grant_malformed', `the secret holds the ${other}, which is no refresh-token grant`);
  const field = (name: string): string => {
    const value = payload[name];
    if (typeof value === 'string' && value !== '' && value === value.trim()) return value;
    throw new MailFailure('grant_malformed', `the secret's payload needs "${name}" as a string without blanks at its ends`);
  };
  const credential = {
    clientId: field('client_id'),
    clientSecret: new SecretString(field('client_secret')),
    refreshToken: new SecretString(field('refresh_token')),
  };
  if (payload['address'] !== undefined && String(payload['address']).toLowerCase() !== mailbox)
    throw new MailFailure('grant_malformed', "the secret's payload is the grant of another address");
  return credential;
}

/** A file that is taken for a grant, in words; null where the payload looks like none. */
export function otherFile(payload: Readonly<Record<string, unknown>>): string | null {
  if (payload['installed'] !== undefined || payload['web'] !== undefined) return 'file of an OAuth client';
  return payload['type'] === 'service_account' ? 'key file of a service account' : null;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // the parser's message would quote the secret
  }
  throw new MailFailure('grant_malformed', "the secret's payload is not a JSON object");
}
