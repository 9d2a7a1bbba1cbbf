import { SecretString } from '../../mail/model/secret.ts';

/** The header by which Google IAM admits a call to a function that is not public; Authorization stays free for the API key. */
export type IamHeader = () => Promise<{ readonly 'x-serverless-authorization'?: string }>;

/** For a public function: no header is needed. */
export const noIamHeader: IamHeader = async () => ({});

/**
 * The header for the identity of Application Default Credentials: the machine's service account, or an impersonated one. Google's
 * library requests the ID token and keeps it until shortly before it expires. Rejects where there is no such identity.
 */
export function createIamHeader(url: string): IamHeader {
  let client: Promise<{ getRequestHeaders(): Promise<Headers> }> | null = null;
  const connect = async () => {
    const { GoogleAuth } = await import('google-auth-library');
    return await new GoogleAuth().getIdTokenClient(new URL(url).origin);
  };
  return async () => {
    client ??= connect();
    try {
      const token = new SecretString((await (await client).getRequestHeaders()).get('authorization') ?? '');
      return { 'x-serverless-authorization': token.reveal() };
    } catch {
      client = null; // the library's errors may quote what they were made of
      throw new Error(NO_PASS);
    }
  };
}

const NO_PASS =
  'no identity token for Google IAM: run it as a service account, or `gcloud auth application-default login --impersonate-service-account=ADDRESS`';
/** The explanation of a 401 or 403 that IAM sent and not the function. */
export const IAM_DENIED =
  'Google IAM does not let the call through to the function: add --iam, and give the caller roles/run.invoker (callers in infra/), or make access public';
