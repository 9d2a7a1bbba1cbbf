import { MailFailure } from '../../mail/model/failure.ts';

/** What a request asks for; `restricted` is a resource of Resend's that a key which only sends may not use. */
export type ApiOperation = 'health' | 'send' | 'batch' | 'raw' | 'read' | 'move' | 'cancel' | 'restricted';

type Methods = Readonly<Record<string, ApiOperation>>;

const ID = '[^/]+';
/** First match decides. Resend's own verbs stand where it defines them, so that any other one is a 405. */
const OPERATIONS: readonly (readonly [RegExp, Methods])[] = [
  [/^\/health$/, { GET: 'health' }],
  [/^\/emails$/, { POST: 'send', GET: 'restricted' }],
  [/^\/emails\/batch$/, { POST: 'batch' }],
  [/^\/v1\/raw$/, { POST: 'raw' }],
  [new RegExp(`^/emails/${ID}$`), { GET: 'read', PATCH: 'move' }],
  [new RegExp(`^/emails/${ID}/cancel$`), { POST: 'cancel' }],
  [new RegExp(`^/emails/${ID}/attachments(/${ID})?$`), { GET: 'restricted' }],
  [
    /^\/(emails\/receiving|domains|api-keys|audiences|broadcasts|contacts|contact-properties|segments|templates|topics|webhooks|logs|events|automations)(\/|$)/,
    { GET: 'restricted', POST: 'restricted', PATCH: 'restricted', PUT: 'restricted', DELETE: 'restricted' },
  ],
];

/** What the request asks for; HEAD is GET without its body. Throws MailFailure: path_unknown, method_unknown. */
export function operationOf(method: string, path: string): ApiOperation {
  const methods = methodsOf(path);
  if (!methods) throw new MailFailure('path_unknown', 'The requested endpoint does not exist.');
  const route = methods[method === 'HEAD' ? 'GET' : method];
  if (!route) throw new MailFailure('method_unknown', `This endpoint takes ${allowed(path)}.`);
  return route;
}

/** The verbs that a path takes, as the header `allow` lists them. */
export function allowed(path: string): string {
  const verbs = Object.keys(methodsOf(path) ?? {});
  return verbs.flatMap((verb) => (verb === 'GET' ? ['GET', 'HEAD'] : [verb])).join(', ');
}

const methodsOf = (path: string): Methods | undefined => OPERATIONS.find(([pattern]) => pattern.test(path))?.[1];
