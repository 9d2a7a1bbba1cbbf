import { json } from '../../google/http/exchange.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { scopeFor } from '../../mail/model/scopes.ts';
import { type Check, type Diagnosis, unclear, well, wrong } from './check.ts';

import type { Patient } from './check-context.ts';
import { getAs } from './check-context.ts';

/** The project, the APIs a mail needs in it, and what a delegation needs of its service account. */
export function projectChecks(patient: Patient, mailboxes: readonly Mailbox[]): Check[] {
  const delegates = [...new Set(mailboxes.flatMap(({ grant, delegate }) => (grant === 'delegation' ? [delegate] : [])))];
  return [
    { name: 'apis', needs: ['credentials'], run: () => apis(patient, delegates.length > 0) },
    ...delegates.map((delegate) => ({
      name: `delegation ${delegate}`,
      needs: ['credentials'],
      run: () => delegation(patient, delegate, mailboxes),
    })),
  ];
}

async function apis(patient: Patient, delegating: boolean): Promise<Diagnosis[]> {
  const { project, urls } = patient.operator.settings;
  const needed = ['gmail', 'secretmanager', 'firestore', ...(delegating ? ['iamcredentials'] : [])].map((api) => `${api}.googleapis.com`);
  const names = needed.map((api) => `names=${encodeURIComponent(`projects/${project}/services/${api}`)}`).join('&');
  const reply = await getAs(patient, `${urls.serviceUsage}/v1/projects/${encodeURIComponent(project)}/services:batchGet?${names}`);
  if (!reply) return [unclear('apis', 'Service Usage did not answer')];
  if (reply.status === 404)
    return [
      wrong('project', 'project_missing', `there is no project ${project}`, 'Give the right one with --project or GOOGLE_CLOUD_PROJECT.'),
    ];
  if (reply.status === 403)
    return [
      unclear(
        'apis',
        `you may not list the APIs of ${project}, or it does not exist`,
        `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/serviceusage.serviceUsageViewer`,
      ),
    ];
  const services = (json(reply) as { services?: { name?: string; state?: string }[] } | null)?.services;
  if (!services) return [unclear('apis', `Service Usage answered ${reply.status}`)];
  const off = needed.filter((api) => services.find(({ name }) => name?.endsWith(`/${api}`))?.state !== 'ENABLED');
  if (off.length === 0) return [well('apis', `${needed.length} enabled in ${project}`)];
  return off.map((api) =>
    wrong(
      `api ${api}`,
      'api-not-enabled',
      `not enabled in ${project}`,
      `gcloud services enable ${api} --project=${project}`,
      'Then wait five minutes.',
    ),
  );
}

/** What an administrator has to paste: Google tells nobody whether it was done, only a mint does. */
async function delegation(patient: Patient, delegate: string, mailboxes: readonly Mailbox[]): Promise<Diagnosis> {
  const name = `delegation ${delegate}`;
  const scopes = [...new Set(mailboxes.filter((one) => one.delegate === delegate).map(({ via }) => scopeFor(via)))].join(',');
  const reply = await getAs(patient, `${patient.operator.settings.urls.iam}/v1/projects/-/serviceAccounts/${encodeURIComponent(delegate)}`);
  if (reply?.status === 404)
    return wrong(name, 'delegate_refused', 'there is no such service account', 'Correct `delegate` in the config, or create the account.');
  const about = json(reply ?? { status: 0, headers: {}, body: Buffer.alloc(0) }) as { uniqueId?: string; disabled?: boolean } | null;
  if (reply?.status !== 200 || !about?.uniqueId) return unclear(name, 'the service account could not be looked at');
  if (about.disabled)
    return wrong(name, 'service-account-disabled', 'the service account is disabled', `gcloud iam service-accounts enable ${delegate}`);
  return well(name, `Admin console, Security, API controls, Domain-wide delegation: client id ${about.uniqueId}, scopes ${scopes}`);
}
