import { CLOUD_ROWS } from './catalogue-cloud.ts';
import { CONSENT_ROWS } from './catalogue-consent.ts';
import { GMAIL_ROWS } from './catalogue-gmail.ts';
import { NETWORK_ROWS } from './catalogue-network.ts';
import { OAUTH_ROWS } from './catalogue-oauth.ts';
import { SERVICE_ACCOUNT_ROWS } from './catalogue-service-account.ts';
import { SIGN_IN_ROWS } from './catalogue-sign-in.ts';
import { SMTP_ROWS } from './catalogue-smtp.ts';
import { TLS_ROWS } from './catalogue-tls.ts';
import type { Row } from './row.ts';

const ROWS = [
  ...SIGN_IN_ROWS,
  ...SMTP_ROWS,
  ...OAUTH_ROWS,
  ...CONSENT_ROWS,
  ...SERVICE_ACCOUNT_ROWS,
  ...GMAIL_ROWS,
  ...CLOUD_ROWS,
  ...NETWORK_ROWS,
  ...TLS_ROWS,
] as const;

export type RowId = (typeof ROWS)[number]['id'];

/** All that is known of how Google and its clients say no. Where two rows are as likely, the earlier one leads. */
export const CATALOGUE: readonly Row[] = ROWS;
