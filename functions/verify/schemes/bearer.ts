import { bearerOf } from '../proof/bearer-token.ts';
import { sameText } from '../proof/mac.ts';
import { ANY_TEXT, rememberFor, type Scheme } from '../proof/scheme.ts';

/**
 * A shared token in the Authorization header, for programs that can send a header and cannot sign: Alertmanager, Grafana, cron
 * jobs.
 */
export const bearer: Scheme = {
  read({ headers }) {
    const given = bearerOf(headers);
    return given === null ? null : { matches: (secret) => sameText(given, secret) };
  },
  sign: async (secret) => ({ Authorization: `Bearer ${secret}` }),
  replayMs: rememberFor,
  secret: { ...ANY_TEXT, shell: (file) => ({ Authorization: `Bearer $(head -n 1 ${file})` }) },
  needs: [],
  takes: ['rememberFor'],
};
