/** The addresses of Google's services, without trailing slashes; on the local stack they share one base URL. */
export interface GoogleUrls {
  /** The consent page of OAuth 2.0. */
  readonly consent: string;
  readonly token: string;
  readonly tokenInfo: string;
  readonly userInfo: string;
  readonly revoke: string;
  readonly gmail: string;
  readonly secrets: string;
  readonly firestore: string;
  readonly iamCredentials: string;
  readonly iam: string;
  readonly serviceUsage: string;
  readonly run: string;
  readonly pubsub: string;
  readonly tasks: string;
  readonly storage: string;
  /** The certificates of Google's identity tokens. */
  readonly certs: string;
  readonly metadata: string;
}

/** Google's own addresses, or those of a fake at `base`. */
export function googleUrls(base: string): GoogleUrls {
  return {
    consent: `${base || 'https://accounts.google.com'}/o/oauth2/v2/auth`,
    token: `${base || 'https://oauth2.googleapis.com'}/token`,
    tokenInfo: `${base || 'https://oauth2.googleapis.com'}/tokeninfo`,
    userInfo: `${base || 'https://openidconnect.googleapis.com'}/v1/userinfo`,
    revoke: `${base || 'https://oauth2.googleapis.com'}/revoke`,
    gmail: base || 'https://gmail.googleapis.com',
    secrets: base || 'https://secretmanager.googleapis.com',
    firestore: base || 'https://firestore.googleapis.com',
    iamCredentials: base || 'https://iamcredentials.googleapis.com',
    iam: base || 'https://iam.googleapis.com',
    serviceUsage: base || 'https://serviceusage.googleapis.com',
    run: base || 'https://run.googleapis.com',
    pubsub: base || 'https://pubsub.googleapis.com',
    tasks: base || 'https://cloudtasks.googleapis.com',
    storage: base || 'https://storage.googleapis.com',
    certs: `${base || 'https://www.googleapis.com'}/oauth2/v1/certs`,
    metadata: base || 'http://metadata.google.internal',
  };
}
