import type { Entry } from '../../mail/delivery/ledger.ts';
import type { Handover } from '../../mail/events/outbox.ts';
import { payloadOf } from '../../mail/events/payload.ts';
import type { EmailEvent, EventTarget } from '../../mail/model/email-event.ts';
import { MailFailure } from '../../mail/model/failure.ts';
import type { Settings } from '../../runtime/settings.ts';
import { createTopic } from '../queue/pubsub-topic.ts';
import type { QueueApi } from '../queue/queue-client.ts';
import { createEventTasks } from './event-tasks.ts';

type Place = Pick<Settings, 'project' | 'urls' | 'eventTasks'>;

/** Hands events over: to Cloud Tasks for a URL, to Pub/Sub for a topic. */
export function createHandover({ project, urls, eventTasks }: Place, api: Omit<QueueApi, 'baseUrl'>, now: () => number): Handover {
  const toTopic = async (event: EmailEvent, entry: Entry, { topic = '', addresses }: EventTarget): Promise<void> => {
    const name = topic.includes('/') ? topic : `projects/${project}/topics/${topic}`;
    const data = JSON.stringify(payloadOf(event, entry, { addresses }));
    await createTopic({ ...api, baseUrl: urls.pubsub }, name).publish({ data, attributes: cloudEvent(event, entry, project) });
  };
  const toUrl = async (event: EmailEvent, entry: Entry, target: EventTarget): Promise<void> => {
    if (!eventTasks) throw new MailFailure('queue_missing', 'MAILGRANT_EVENT_TASKS is not set');
    const payload = JSON.stringify(payloadOf(event, entry, target));
    const task = { target: target.name, id: event.id, type: event.type, email: entry.id, since: now(), payload };
    await createEventTasks({ ...api, baseUrl: urls.tasks }, eventTasks)(task, `${event.id}-${target.name}`);
  };
  return (event, entry, target) => (target.topic === undefined ? toUrl : toTopic)(event, entry, target);
}

/** The attributes of a CloudEvent in binary mode, by the CloudEvents binding for Pub/Sub. */
const cloudEvent = ({ id, type, at }: EmailEvent, { id: email }: Entry, project: string): Record<string, string> => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': `//mailgrant/projects/${project}`,
  'ce-type': type,
  'ce-subject': email,
  'ce-time': new Date(at).toISOString(),
  'content-type': 'application/json',
});
