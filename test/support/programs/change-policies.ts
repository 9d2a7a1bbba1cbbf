import assert from 'node:assert/strict';
import type { PlannedChange, Review } from '../../../functions/cli/deploy/review-plan.ts';

/**
 * Attributes whose change makes a resource anew, by type: ForceNew in the source of the provider 7.45. The stand-in of the provider plans each
 * change as an update, so the rules below know what it does not. Checked against `resource_*.go` of hashicorp/terraform-provider-google.
 */
export const FORCE_NEW: Readonly<Record<string, readonly string[]>> = {
  google_artifact_registry_repository: ['format', 'repository_id', 'kms_key_name', 'location', 'mode', 'project'],
  google_cloud_run_v2_service_iam_member: ['location', 'name', 'role', 'member', 'condition', 'project'],
  google_cloud_scheduler_job: ['name', 'region', 'project'],
  google_cloud_tasks_queue: ['name', 'location', 'project'],
  google_cloudbuild_trigger: ['location', 'project'],
  google_cloudfunctions2_function: ['name', 'location', 'project'],
  google_eventarc_trigger: ['name', 'location', 'channel', 'transport', 'project', 'matching_criteria'],
  google_firestore_database: ['name', 'location_id', 'cmek_config', 'database_edition', 'project'],
  google_firestore_field: ['database', 'collection', 'field', 'project'],
  google_logging_metric: ['project', 'metric_descriptor'],
  google_monitoring_alert_policy: ['project'],
  google_monitoring_dashboard: ['project'],
  google_monitoring_notification_channel: ['project'],
  google_project_iam_custom_role: ['role_id', 'project'],
  google_project_iam_member: ['role', 'member', 'condition', 'project'],
  google_project_service: ['service', 'project'],
  google_pubsub_subscription: ['name', 'topic', 'enable_message_ordering', 'filter', 'project'],
  google_pubsub_topic: ['name', 'project'],
  google_secret_manager_secret: ['secret_id', 'replication', 'project'],
  google_service_account: ['account_id', 'project'],
  google_storage_bucket: ['name', 'location', 'project', 'enable_object_retention', 'hierarchical_namespace'],
  google_storage_bucket_object: ['bucket', 'name', 'source'],
};

/** What holds grants, records or emails. */
const HOLDS = /^google_(secret_manager_secret|firestore_database|storage_bucket|pubsub_subscription|cloud_tasks_queue)$/;
/** How a type of resource is kept at Google although it leaves the state. */
const abandoned = ({ change }: PlannedChange): boolean => change.before?.['deletion_policy'] === 'ABANDON';

const differing = ({ change }: PlannedChange): string[] =>
  Object.keys({ ...change.before, ...change.after }).filter(
    (name) => change.after?.[name] !== undefined && JSON.stringify(change.before?.[name]) !== JSON.stringify(change.after[name]),
  );

/** The attributes for which Google would make it anew, whatever the plan calls it. */
export const remade = (one: PlannedChange): string[] =>
  one.change.actions.join() === 'update' ? differing(one).filter((name) => FORCE_NEW[one.type ?? '']?.includes(name)) : [];

/** Rules for what a plan changes; each answers the addresses that break it. */
export const CHANGE_POLICIES: Readonly<Record<string, (review: Review) => string[]>> = {
  'what holds grants, records or emails is not destroyed but left at Google': ({ all }) =>
    all
      .filter((one) => one.change.actions.includes('delete') && HOLDS.test(one.type ?? '') && !abandoned(one))
      .map(({ address }) => address),
  'nothing that holds grants, records or emails is made anew': ({ all }) =>
    all
      .filter((one) => HOLDS.test(one.type ?? '') && (remade(one).length > 0 || one.change.actions.length > 1))
      .map(({ address }) => address),
  'every type whose change is judged is in the table of ForceNew': ({ all }) =>
    all
      .filter((one) => one.change.actions.includes('update') && FORCE_NEW[one.type ?? ''] === undefined)
      .filter(({ type }) => !/_iam_member$|^terraform_data$|^google_(billing_budget|project_iam_audit_config)$/.test(type ?? ''))
      .map(({ address }) => address),
};

/** Rules that hold for every change but the ones that a step is about. */
export function judge(review: Review, but: readonly string[] = []): void {
  for (const [rule, broken] of Object.entries(CHANGE_POLICIES)) if (!but.includes(rule)) assert.deepEqual(broken(review), [], rule);
}
