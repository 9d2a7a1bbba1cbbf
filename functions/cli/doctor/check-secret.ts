import type { Mailbox } from '../../mail/model/config.ts';
import { answered } from '../common/google-clients.ts';
import { type CheckFinding, type DoctorCheck, failed, passed, unclear } from './check.ts';
import { type CheckContext, reading } from './check-context.ts';

const ACCESSOR = 'roles/secretmanager.secretAccessor';

/** The secret that holds a mailbox's grant: there, with an enabled latest version, readable by the functions. */
export function secretChecks(context: CheckContext, mailbox: Mailbox, serviceAccounts: readonly string[]): DoctorCheck[] {
  const name = `${mailbox.address} secret`;
  if (mailbox.grant === 'delegation') return [{ name, run: async () => passed(name, 'none is needed') }];
  const resource = `projects/${context.operator.settings.project}/secrets/${mailbox.secret}`;
  return [
    { name, needs: ['credentials'], run: () => secret(context, name, resource, mailbox) },
    ...serviceAccounts.map((account) => ({
      name: `${name} for ${account}`,
      needs: [name],
      run: () => readable(context, `${name} for ${account}`, resource, mailbox.secret, account),
    })),
  ];
}

const secretsOf = async () => {
  const { secretmanager_v1 } = await import('googleapis/build/src/apis/secretmanager/v1.js');
  return new secretmanager_v1.Secretmanager({}).projects.secrets;
};

async function secret(context: CheckContext, name: string, parent: string, { address, secret: id }: Mailbox): Promise<CheckFinding> {
  const authorize = `npx mailgrant authorize ${address}`;
  const { versions: listed } = await secretsOf();
  const reply = await answered(listed.list({ parent, pageSize: 50 }, await reading(context, context.operator.settings.urls.secrets)));
  if (!reply) return unclear(name, 'Secret Manager did not answer');
  if (reply.status === 404) return failed(name, 'grant_missing', `there is no secret ${id}`, authorize);
  if (!reply.data)
    return unclear(
      name,
      `you may not list the versions of ${id} (${reply.status})`,
      `gcloud secrets add-iam-policy-binding ${id} --member=user:YOU --role=roles/secretmanager.viewer`,
    );
  const [latest] = reply.data.versions ?? []; // newest first
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

async function readable(context: CheckContext, name: string, resource: string, id: string, account: string): Promise<CheckFinding> {
  const secrets = await secretsOf();
  const reply = await answered(secrets.getIamPolicy({ resource }, await reading(context, context.operator.settings.urls.secrets)));
  if (!reply?.data) return unclear(name, `the policy of ${id} could not be read`);
  const bindings = reply.data.bindings ?? [];
  const granted = bindings.some(({ role, members }) => role === ACCESSOR && members?.includes(`serviceAccount:${account}`));
  if (granted) return passed(name, 'may read it');
  return failed(
    name,
    'secret-access-denied',
    `has no ${ACCESSOR} on ${id}`,
    `gcloud secrets add-iam-policy-binding ${id} --member=serviceAccount:${account} --role=${ACCESSOR}`,
  );
}
