import { CLOUD_ROWS } from './cloud-rows.ts';
import { CONSENT_ROWS } from './consent-rows.ts';
import { GMAIL_ROWS } from './gmail-rows.ts';
import { NETWORK_ROWS } from './network-rows.ts';
import { OAUTH_ROWS } from './oauth-rows.ts';
import { PLATFORM_ROWS } from './platform-rows.ts';
import type { CatalogueRow } from './row.ts';
import { SERVICE_ACCOUNT_ROWS } from './service-account-rows.ts';
import { SIGN_IN_ROWS } from './sign-in-rows.ts';
import { SMTP_ROWS } from './smtp-rows.ts';
import { TLS_ROWS } from './tls-rows.ts';

const ROWS = [
  ...SIGN_IN_ROWS,
  ...SMTP_ROWS,
  ...OAUTH_ROWS,
  ...CONSENT_ROWS,
  ...SERVICE_ACCOUNT_ROWS,
  ...GMAIL_ROWS,
  ...CLOUD_ROWS,
  ...PLATFORM_ROWS,
  ...NETWORK_ROWS,
  ...TLS_ROWS,
] as const;

export type RowId = (typeof ROWS)[number]['id'];

/** All that is known of how Google and its clients say no. Where two rows are as likely, the earlier one leads. */
export const CATALOGUE: readonly CatalogueRow[] = ROWS;
