import type { Mailbox } from '../../mail/model/config.ts';
import { scopesOf } from '../../mail/model/scopes.ts';
import { answered } from '../common/google-clients.ts';
import { type CheckFinding, type DoctorCheck, failed, passed, unclear } from './check.ts';

import { type CheckContext, reading } from './check-context.ts';

/** The project, the APIs a mail needs in it, and what a delegation needs of its service account. */
export function projectChecks(context: CheckContext, mailboxes: readonly Mailbox[]): DoctorCheck[] {
  const delegates = [...new Set(mailboxes.flatMap(({ grant, delegate }) => (grant === 'delegation' ? [delegate] : [])))];
  return [
    { name: 'apis', needs: ['credentials'], run: () => apis(context, delegates.length > 0) },
    ...delegates.map((delegate) => ({
      name: `delegation ${delegate}`,
      needs: ['credentials'],
      run: () => delegation(context, delegate, mailboxes),
    })),
  ];
}

async function apis(context: CheckContext, delegating: boolean): Promise<CheckFinding[]> {
  const { project, urls } = context.operator.settings;
  const needed = ['gmail', 'secretmanager', 'firestore', ...(delegating ? ['iamcredentials'] : [])].map((api) => `${api}.googleapis.com`);
  const { serviceusage_v1 } = await import('googleapis/build/src/apis/serviceusage/v1.js');
  const { services: listed } = new serviceusage_v1.Serviceusage({});
  const parent = `projects/${project}`;
  const names = needed.map((api) => `${parent}/services/${api}`);
  const reply = await answered(listed.batchGet({ parent, names }, await reading(context, urls.serviceUsage)));
  if (!reply) return [unclear('apis', 'Service Usage did not answer')];
  if (reply.status === 404)
    return [
      failed('project', 'project_missing', `there is no project ${project}`, 'Give the right one with --project or GOOGLE_CLOUD_PROJECT.'),
    ];
  if (reply.status === 403)
    return [
      unclear(
        'apis',
        `you may not list the APIs of ${project}, or it does not exist`,
        `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/serviceusage.serviceUsageViewer --condition=None`,
      ),
    ];
  const services = reply.data?.services;
  if (!services) return [unclear('apis', `Service Usage answered ${reply.status}`)];
  const off = needed.filter((api) => services.find(({ name }) => name?.endsWith(`/${api}`))?.state !== 'ENABLED');
  if (off.length === 0) return [passed('apis', `${needed.length} enabled in ${project}`)];
  return off.map((api) =>
    failed(
      `api ${api}`,
      'api-not-enabled',
      `not enabled in ${project}`,
      `gcloud services enable ${api} --project=${project}`,
      'Then wait five minutes.',
    ),
  );
}

/** What an administrator has to paste: Google tells nobody whether it was done, only a mint does. */
async function delegation(context: CheckContext, delegate: string, mailboxes: readonly Mailbox[]): Promise<CheckFinding> {
  const name = `delegation ${delegate}`;
  const scopes = [...new Set(mailboxes.filter((one) => one.delegate === delegate).flatMap(scopesOf))].join(',');
  const { iam_v1 } = await import('googleapis/build/src/apis/iam/v1.js');
  const { serviceAccounts } = new iam_v1.Iam({}).projects;
  const account = { name: `projects/-/serviceAccounts/${delegate}` };
  const reply = await answered(serviceAccounts.get(account, await reading(context, context.operator.settings.urls.iam)));
  if (reply?.status === 404)
    return failed(name, 'delegate_refused', 'there is no such service account', 'Correct `delegate` in the config, or create the account.');
  const about = reply?.data;
  if (!about?.uniqueId) return unclear(name, 'the service account could not be looked at');
  if (about.disabled)
    return failed(name, 'service-account-disabled', 'the service account is disabled', `gcloud iam service-accounts enable ${delegate}`);
  return passed(name, `Admin console, Security, API controls, Domain-wide delegation: client id ${about.uniqueId}, scopes ${scopes}`);
}
