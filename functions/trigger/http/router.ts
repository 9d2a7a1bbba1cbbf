import { MailFailure } from '../../mail/model/failure.ts';

/** The route of a request; `restricted` is a resource of Resend's API that a sending-only key may not use. */
export type ApiOperation = 'health' | 'send' | 'batch' | 'raw' | 'list' | 'read' | 'move' | 'cancel' | 'restricted';

type Methods = Readonly<Record<string, ApiOperation>>;

const ID = '[^/]+';
const EVERY_METHOD: Methods = { GET: 'restricted', POST: 'restricted', PATCH: 'restricted', PUT: 'restricted', DELETE: 'restricted' };
/** The first match decides. All of Resend's methods are listed, so that any other method gets 405. */
const OPERATIONS: readonly (readonly [RegExp, Methods])[] = [
  [/^\/health$/, { GET: 'health' }],
  [/^\/emails$/, { POST: 'send', GET: 'list' }],
  [/^\/emails\/batch$/, { POST: 'batch' }],
  // Before the ids: none of these words is one.
  [new RegExp(`^/emails/(?:receiving|inbound|metrics|share|usage)(?:/|$)|^/emails/${ID}/share$`), EVERY_METHOD],
  [/^\/v1\/raw$/, { POST: 'raw' }],
  [new RegExp(`^/emails/${ID}$`), { GET: 'read', PATCH: 'move' }],
  [new RegExp(`^/emails/${ID}/cancel$`), { POST: 'cancel' }],
  [new RegExp(`^/emails/${ID}/attachments(/${ID})?$`), { GET: 'restricted' }],
  [
    /^\/(domains|api-keys|audiences|broadcasts|contacts|contact-properties|segments|suppressions|templates|topics|webhooks|logs|events|automations|inboxes|oauth|usage|metrics|share|receiving)(\/|$)/,
    EVERY_METHOD,
  ],
];

/** Finds the route of a request; HEAD counts as GET. Throws MailFailure: path_unknown, method_unknown. */
export function operationOf(method: string, path: string): ApiOperation {
  const methods = methodsOf(path);
  if (!methods) throw new MailFailure('path_unknown', 'The requested endpoint does not exist.');
  const route = methods[method === 'HEAD' ? 'GET' : method];
  if (!route) throw new MailFailure('method_unknown', `This endpoint takes ${allowed(path)}.`);
  return route;
}

/** The methods of a path, as the header `allow` lists them. */
export function allowed(path: string): string {
  const verbs = Object.keys(methodsOf(path) ?? {});
  return verbs.flatMap((verb) => (verb === 'GET' ? ['GET', 'HEAD'] : [verb])).join(', ');
}

const methodsOf = (path: string): Methods | undefined => OPERATIONS.find(([pattern]) => pattern.test(path))?.[1];
