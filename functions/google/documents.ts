import { MailFailure } from '../mail/failure.ts';
import type { AccessToken, Documents } from '../mail/ports.ts';
import { type Call, type Exchange, json, NoReply, type Reply } from './call.ts';
import { readGoogleError } from './error-body.ts';
import { plainFields, type TypedValue, typedValue } from './firestore-value.ts';

/** Documents of an app, read by name and written field by field, over Firestore's REST protocol. */
export function createDocuments(baseUrl: string, exchange: Exchange, identity: () => Promise<AccessToken>): Documents {
  const call = async (path: string, body?: unknown): Promise<Reply> => {
    const { secret } = await identity();
    const common = { url: `${baseUrl}/v1/${path}`, timeoutMs: 10_000 };
    const authorization = `Bearer ${secret.reveal()}`;
    const request: Call = body
      ? { ...common, method: 'POST', headers: { authorization, 'content-type': 'application/json' }, body: JSON.stringify(body) }
      : { ...common, method: 'GET', headers: { authorization } };
    return exchange(request).catch((error: unknown) => {
      throw new MailFailure('ledger_unavailable', `Firestore did not answer: ${error instanceof NoReply ? error.message : 'error'}`);
    });
  };
  return {
    async read(name) {
      const reply = await call(name.split('/').map(encodeURIComponent).join('/'));
      if (reply.status === 404) return null;
      const { fields, updateTime } = (json(reply) ?? {}) as { fields?: Record<string, TypedValue>; updateTime?: string };
      if (reply.status !== 200 || !updateTime) throw refused(reply);
      return { fields: plainFields(fields), version: updateTime };
    },
    async write(name, fields, version) {
      const [database = ''] = name.split('/documents/', 1);
      const update = { name, fields: nested(fields) };
      const currentDocument = version === null ? { exists: true } : { updateTime: version };
      for (let tries = 0; ; tries++) {
        const reply = await call(`${database}/documents:commit`, {
          writes: [{ update, updateMask: { fieldPaths: Object.keys(fields) }, currentDocument }],
        });
        if (reply.status === 200) return true;
        const { status } = readGoogleError(json(reply));
        if (status === 'NOT_FOUND' || status === 'FAILED_PRECONDITION') return false;
        if (status !== 'ABORTED' || tries === 4) throw refused(reply);
      }
    },
  };
}

/** Fields by path (`delivery.state`) as the nested values that the update mask then picks. */
function nested(fields: Readonly<Record<string, unknown>>): Record<string, TypedValue> {
  const tree: Record<string, Record<string, unknown>> = {};
  for (const [path, value] of Object.entries(fields)) {
    const [first = '', second = ''] = path.split('.');
    tree[first] = { ...tree[first], [second]: value };
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, typedValue(value)]));
}

function refused(reply: Reply): MailFailure {
  const { status } = readGoogleError(json(reply));
  const denied = reply.status === 401 || reply.status === 403;
  return new MailFailure(denied ? 'identity_refused' : 'ledger_unavailable', `Firestore answered ${reply.status} ${status} for a document`);
}
