import { CLOUD_CAUSES } from './causes-cloud.ts';
import { MAIL_CAUSES } from './causes-mail.ts';
import { NETWORK_CAUSES } from './causes-network.ts';
import { OAUTH_CAUSES } from './causes-oauth.ts';
import { SIGN_IN_CAUSES } from './causes-sign-in.ts';

/** Why sending fails: what is wrong, what mends it, and how mailgrant keeps it from happening. */
export interface CauseRow {
  readonly summary: string;
  /** Steps in order, each a console page, a command or a setting. `{project}` and the like are filled from the text. */
  readonly fix: readonly string[];
  readonly avoided: string;
}

const CAUSES = {
  ...SIGN_IN_CAUSES,
  ...OAUTH_CAUSES,
  ...MAIL_CAUSES,
  ...CLOUD_CAUSES,
  ...NETWORK_CAUSES,
} as const satisfies Record<string, CauseRow>;

export type Cause = keyof typeof CAUSES;

/** Every cause there is; labels are never renamed. */
export const CAUSE_LABELS = Object.keys(CAUSES) as Cause[];

/** What a cause means and what mends it. */
export const aboutCause = (cause: Cause): CauseRow => CAUSES[cause];
