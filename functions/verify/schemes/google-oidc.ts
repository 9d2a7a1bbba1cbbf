import { rememberFor, type Scheme } from '../proof/scheme.ts';

/**
 * An identity token of Google's, for Cloud Scheduler, Cloud Tasks and Pub/Sub: the function verifies it, and no secret is shared.
 */
export const googleOidc: Scheme = {
  read: () => null,
  sign: async () => ({}), // only Google can make one
  replayMs: rememberFor,
  secret: null,
  identity: true,
  needs: ['audience', 'email'],
  takes: ['rememberFor'],
};
