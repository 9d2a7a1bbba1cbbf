import { MailFailure } from '../../mail/model/failure.ts';
import type { HeaderValues } from '../../verify/proof/header-values.ts';
import { parseJson } from '../common/json.ts';

const FORM = 'application/x-www-form-urlencoded';

/** True for the content types of webhooks; a missing one counts as JSON. */
const isEventType = (contentType: string): boolean =>
  contentType === '' || contentType === FORM || contentType === 'application/json' || /^application\/[\w.-]+\+json$/.test(contentType);

/**
 * Parses a webhook's body: JSON or a form. In a form, the field `payload` holds JSON (GitHub, Slack); without it, the event is
 * the form's fields. Throws MailFailure: request_invalid.
 */
export function readEvent(contentType: string, body: Buffer): unknown {
  if (contentType !== FORM) return parseJson(body);
  const fields = new URLSearchParams(body.toString('utf8'));
  const payload = fields.get('payload');
  return payload === null ? Object.fromEntries(fields) : parseJson(Buffer.from(payload));
}

/** The event's fields for the scheme's handshake; empty if the event is not an object. */
export const eventFieldsOf = (event: unknown): Readonly<Record<string, unknown>> =>
  (typeof event === 'object' && event !== null ? event : {}) as Record<string, unknown>;

const TELLING = /^(?:user-agent|webhook-id|x-[a-z0-9-]*(?:event|delivery|topic|type|action|retry)[a-z0-9-]*)$/;
const SECRET = /signature|secret|token|auth|forwarded|goog|cloud/;

/** Headers that name the kind of event, for conditions. No signature covers them, so the sender can set them freely. */
export const attributesOf = (headers: HeaderValues): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, values]) =>
      values?.[0] !== undefined && TELLING.test(name) && !SECRET.test(name) ? [[name, values[0].slice(0, 500)]] : [],
    ),
  );

/** Throws MailFailure request_invalid for a content type that webhooks do not use. */
export function checkEventType(contentType: string): void {
  if (!isEventType(contentType)) throw new MailFailure('request_invalid', 'A webhook has a JSON body or a form.');
}
