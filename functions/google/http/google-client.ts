import { type FailureCode, MailFailure } from '../../mail/model/failure.ts';
import type { AccessToken } from '../../mail/model/secret.ts';
import { readGoogleError } from './error-body.ts';
import { type Call, type Exchange, type HttpReply, json, NoReply } from './exchange.ts';

/** Returns tokens of one identity. After `refused`, a token that Google did not accept, it returns another one. */
export type TokenSource = (refused?: AccessToken) => Promise<AccessToken>;

/** One of Google's services, and how to call it. */
export interface GoogleApi {
  /** Its name in messages, such as "Firestore". */
  readonly service: string;
  readonly baseUrl: string;
  readonly exchange: Exchange;
  readonly token: TokenSource;
  /** The code of a failure that may pass: no answer, or no token that the service accepts. */
  readonly unavailable: FailureCode;
}

/** A call below the base URL; an object as body is sent as JSON. */
export type GoogleCall = Omit<Call, 'url' | 'body'> & { readonly path: string; readonly body?: string | object };

/**
 * Makes the one authorised call. When the service refuses the token (401), the call is made once more with another token. Throws
 * MailFailure with the code `unavailable` where there is no answer, or where a second token is refused: neither is a fault of the
 * email, so no email fails for it. The caller reads any other answer.
 *
 * @example
 * const secrets = { service: 'Secret Manager', baseUrl, exchange, token, unavailable: 'google_unavailable' } as const;
 * const reply = await callGoogle(secrets, { method: 'GET', path: '/v1/projects/p/secrets/s/versions/latest:access', timeoutMs: 10_000 });
 */
export async function callGoogle(api: GoogleApi, { path, body, headers, ...rest }: GoogleCall): Promise<HttpReply> {
  const { service, baseUrl, exchange, token, unavailable } = api;
  const attempt = async (refused?: AccessToken): Promise<{ readonly reply: HttpReply; readonly used: AccessToken }> => {
    const used = await token(refused);
    const call: Call = {
      ...rest,
      url: `${baseUrl}${path}`,
      headers: {
        ...authorisation(used),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    return { reply: await answerOf(exchange(call), service, unavailable), used };
  };
  const first = await attempt();
  if (first.reply.status !== 401) return first.reply;
  const { reply } = await attempt(first.used);
  if (reply.status === 401) throw new MailFailure(unavailable, `${service} answered 401 to two tokens`);
  return reply;
}

/** The headers of a call to Google: the token, and the project that Google charges where a person makes the call. */
export const authorisation = ({ secret, quotaProject }: AccessToken): Record<string, string> => ({
  authorization: `Bearer ${secret.reveal()}`,
  ...(quotaProject !== undefined && { 'x-goog-user-project': quotaProject }),
});

/** The reply, or a failure that names the service that did not answer. */
export const answerOf = (reply: Promise<HttpReply>, who: string, unavailable: FailureCode): Promise<HttpReply> =>
  reply.catch((error: unknown) => {
    throw new MailFailure(unavailable, `${who} did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
  });

/** True for an answer that says nothing about the call itself: the same call may work soon. */
export const isTransient = ({ status }: HttpReply): boolean => status === 408 || status === 429 || status >= 500;

/** What a log may contain of a refusal: the service, and Google's status and word. */
export const refusalDetail = (service: string, reply: HttpReply): string =>
  `${service} answered ${reply.status} ${readGoogleError(json(reply)).status}`.trim();

/** True where the API is not enabled in the project. */
export function isApiDisabled(reply: HttpReply): boolean {
  const { reasons, message } = readGoogleError(json(reply));
  return reasons.includes('SERVICE_DISABLED') || /has not been used in project/.test(message);
}
