import { cloudError, ERROR_REPLIES } from '../http/error-replies.ts';
import { bearerIn, type FakeReply, type FakeRequest } from '../http/server.ts';
import type { OAuth } from '../oauth/oauth.ts';

/** A project as an operator sees it: its enabled APIs, its service accounts and its Cloud Run services. */
export interface Project {
  /** APIs that are not enabled. */
  readonly off: Set<string>;
  /** Projects that do not exist, or may not be read. */
  readonly hidden: Map<string, 403 | 404>;
  /** Service accounts by email, with whether each is disabled. */
  readonly serviceAccounts: Map<string, boolean>;
  /** Cloud Run services by name, with their variables. */
  readonly services: Map<string, Readonly<Record<string, string>>>;
  answer(request: FakeRequest): FakeReply;
}

/** The fake of Service Usage (`services:batchGet`), of IAM's service accounts and of Cloud Run's list of services. */
export function createProject(oauth: OAuth): Project {
  const off = new Set<string>();
  const hidden = new Map<string, 403 | 404>();
  const serviceAccounts = new Map<string, boolean>();
  const services: Project['services'] = new Map();
  return {
    off,
    hidden,
    serviceAccounts,
    services,
    answer(request) {
      if (!oauth.session(bearerIn(request))) return ERROR_REPLIES.unauthenticated;
      const project = /^\/v1\/projects\/([^/]+)\/services:batchGet$/.exec(request.path)?.[1];
      if (project !== undefined) {
        const refusal = hidden.get(project);
        if (refusal === 404) return cloudError(404, 'NOT_FOUND', 'Project not found or permission denied.');
        if (refusal === 403) return cloudError(403, 'PERMISSION_DENIED', 'Permission denied to list services for consumer container.');
        const services = request.query
          .getAll('names')
          .map((name) => ({ name, state: off.has(name.split('/').at(-1) ?? '') ? 'DISABLED' : 'ENABLED' }));
        return { status: 200, body: { services } };
      }
      const parent = /^\/v2\/(projects\/[^/]+\/locations)\/-\/services$/.exec(request.path)?.[1];
      if (parent !== undefined)
        return { status: 200, body: { services: [...services].map(([name, env]) => serviceOf(`${parent}/europe-west1`, name, env)) } };
      const email = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+)$/.exec(request.path)?.[1] ?? '';
      const disabled = serviceAccounts.get(email);
      if (disabled === undefined) return cloudError(404, 'NOT_FOUND', 'Unknown service account');
      return { status: 200, body: { email, uniqueId: '100000000000000000001', ...(disabled && { disabled }) } };
    },
  };
}

const serviceOf = (parent: string, name: string, env: Readonly<Record<string, string>>) => ({
  name: `${parent}/services/${name}`,
  template: { containers: [{ env: Object.entries(env).map(([name, value]) => ({ name, value })) }] },
});
