import type { CauseRow } from './cause-row.ts';
import { CLOUD_CAUSES } from './cloud-causes.ts';
import { MAIL_CAUSES } from './mail-causes.ts';
import { NETWORK_CAUSES } from './network-causes.ts';
import { OAUTH_CAUSES } from './oauth-causes.ts';
import { PLATFORM_CAUSES } from './platform-causes.ts';
import { SIGN_IN_CAUSES } from './sign-in-causes.ts';

const CAUSES = {
  ...SIGN_IN_CAUSES,
  ...OAUTH_CAUSES,
  ...MAIL_CAUSES,
  ...CLOUD_CAUSES,
  ...PLATFORM_CAUSES,
  ...NETWORK_CAUSES,
} as const satisfies Record<string, CauseRow>;

export type Cause = keyof typeof CAUSES;

/** Every cause there is; labels are never renamed. */
export const CAUSE_LABELS = Object.keys(CAUSES) as Cause[];

/** What a cause means and its fix. */
export const aboutCause = (cause: Cause): CauseRow => CAUSES[cause];
