import { headerOf } from '../proof/header-values.ts';
import { sameText } from '../proof/mac.ts';
import { rememberFor, type Scheme } from '../proof/scheme.ts';

/** RFC 7617: the secret is `user:password`. For Cloud Monitoring, whose webhooks can send no other header. */
export const basic: Scheme = {
  read({ headers }) {
    const text = /^Basic +([A-Za-z0-9+/]{1,8192}={0,2})$/i.exec(headerOf(headers, 'authorization') ?? '')?.[1] ?? '';
    const given = Buffer.from(text, 'base64');
    if (text === '' || given.toString('base64') !== text) return null;
    return { matches: (secret) => sameText(given.toString('utf8'), secret) };
  },
  sign: async (secret) => ({ Authorization: `Basic ${Buffer.from(secret).toString('base64')}` }),
  replayMs: rememberFor,
  secret: {
    make: (random) => `mailgrant:${random.toString('base64url')}`,
    core: (secret) => secret.slice(secret.indexOf(':') + 1),
    shell: (file) => ({ Authorization: `Basic $(head -n 1 ${file} | tr -d '\\r\\n' | base64 | tr -d '\\n')` }),
  },
  needs: [],
  takes: ['rememberFor'],
};
