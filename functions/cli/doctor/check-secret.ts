import { json } from '../../google/http/exchange.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { type Check, type CheckFinding, failed, passed, unclear } from './check.ts';
import type { CheckContext } from './check-context.ts';
import { getAs } from './check-context.ts';

interface Policy {
  readonly bindings?: readonly { readonly role?: string; readonly members?: readonly string[] }[];
}

const ACCESSOR = 'roles/secretmanager.secretAccessor';

/** The secret that holds a mailbox's grant: there, with an enabled latest version, readable by the functions. */
export function secretChecks(patient: CheckContext, mailbox: Mailbox, serviceAccounts: readonly string[]): Check[] {
  const name = `${mailbox.address} secret`;
  if (mailbox.grant === 'delegation') return [{ name, run: async () => passed(name, 'none is needed') }];
  const { project, urls } = patient.operator.settings;
  const url = `${urls.secrets}/v1/projects/${encodeURIComponent(project)}/secrets/${encodeURIComponent(mailbox.secret)}`;
  return [
    { name, needs: ['credentials'], run: () => secret(patient, name, url, mailbox) },
    ...serviceAccounts.map((account) => ({
      name: `${name} for ${account}`,
      needs: [name],
      run: () => readable(patient, `${name} for ${account}`, url, mailbox.secret, account),
    })),
  ];
}

async function secret(patient: CheckContext, name: string, url: string, { address, secret: id }: Mailbox): Promise<CheckFinding> {
  const authorize = `npx mailgrant authorize ${address}`;
  const reply = await getAs(patient, `${url}/versions?pageSize=50`);
  if (!reply) return unclear(name, 'Secret Manager did not answer');
  if (reply.status === 404) return failed(name, 'grant_missing', `there is no secret ${id}`, authorize);
  if (reply.status !== 200)
    return unclear(
      name,
      `you may not list the versions of ${id} (${reply.status})`,
      `gcloud secrets add-iam-policy-binding ${id} --member=user:YOU --role=roles/secretmanager.viewer`,
    );
  const { versions = [] } = (json(reply) ?? {}) as { versions?: { name?: string; state?: string }[] };
  const [latest] = versions; // newest first
  if (!latest) return failed(name, 'grant_missing', `${id} has no version yet`, authorize);
  const number = latest.name?.split('/').at(-1);
  if (latest.state !== 'ENABLED')
    return failed(
      name,
      'grant_unreadable',
      `version ${number} of ${id}, the latest, is ${latest.state?.toLowerCase()}`,
      latest.state === 'DISABLED' ? `gcloud secrets versions enable ${number} --secret=${id}` : authorize,
    );
  return passed(name, `version ${number} of ${id} is enabled`);
}

async function readable(patient: CheckContext, name: string, url: string, id: string, account: string): Promise<CheckFinding> {
  const reply = await getAs(patient, `${url}:getIamPolicy`);
  if (reply?.status !== 200) return unclear(name, `the policy of ${id} could not be read`);
  const { bindings = [] } = (json(reply) ?? {}) as Policy;
  const granted = bindings.some(({ role, members = [] }) => role === ACCESSOR && members.includes(`serviceAccount:${account}`));
  if (granted) return passed(name, 'may read it');
  return failed(
    name,
    'secret-access-denied',
    `has no ${ACCESSOR} on ${id}`,
    `gcloud secrets add-iam-policy-binding ${id} --member=serviceAccount:${account} --role=${ACCESSOR}`,
  );
}
