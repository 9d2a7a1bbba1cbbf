/** How to reach the deployed api, and as which caller. */
export interface FirstCall {
  readonly url: string;
  readonly access: 'private' | 'iam' | 'public';
  /** Where the key comes from: created by this deployment, or one that the app has already. */
  readonly key: string | null;
  readonly from: string;
}

/**
 * A curl request and the settings of a Django app, ready to paste. A new key is in them: it is shown nowhere else.
 */
export function firstCall({ url, access, key, from }: FirstCall): readonly string[] {
  const body = JSON.stringify({ from, to: from, subject: 'It works', text: 'Sent by curl through mailgrant.' });
  // Behind IAM, Google reads another header than the one of the key.
  const iam = access === 'public' ? [] : [`  -H "X-Serverless-Authorization: Bearer $(gcloud auth print-identity-token)" \\`];
  return [
    ...(access === 'private' ? ['# From a machine in a VPC of the project: this api takes no call from the internet.'] : []),
    `export MAILGRANT_KEY=${key ?? 'the key of your app'}`,
    `curl -sS --fail-with-body ${url}/emails \\`,
    ...iam,
    '  -H "Authorization: Bearer $MAILGRANT_KEY" -H "Content-Type: application/json" \\',
    `  -d '${body.replaceAll("'", "'\\''")}'`,
    '',
    '# Django, in settings.py, with clients/django/mailgrant_django.py beside manage.py and MAILGRANT_KEY in the environment:',
    'EMAIL_BACKEND = "mailgrant_django.EmailBackend"',
    `MAILGRANT_URL = "${url}"`,
    'MAILGRANT_API_KEY = os.environ["MAILGRANT_KEY"]',
    ...(access === 'public' ? [] : ['MAILGRANT_IDENTITY = "adc"    # the account of the app, which callers or the config let in']),
    `DEFAULT_FROM_EMAIL = "${from}"`,
  ];
}
