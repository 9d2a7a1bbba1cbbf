import { SecretString } from '../../mail/model/secret.ts';

/** The header by which Google IAM lets a call through to a function that is not public; beside it Authorization stays the key's. */
export type IamHeader = () => Promise<{ readonly 'x-serverless-authorization'?: string }>;

/** For a public function: nothing is needed. */
export const noIamHeader: IamHeader = async () => ({});

/**
 * A pass of whom Application Default Credentials stand for: the machine's service account, or one that is impersonated.
 * Google's library asks for the ID token and keeps it until shortly before it ends. Rejects where there is none.
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
/** What a 401 or 403 means that is not the function's own. */
export const IAM_DENIED =
  'Google IAM does not let the call through to the function: add --iam, and give the caller roles/run.invoker (callers in infra/), or make access public';
