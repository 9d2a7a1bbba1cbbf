import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { createLog } from './runtime/log.ts';
import { serve } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
import { byPath, later } from './trigger/common/paths.ts';
import { pubsubWorker } from './trigger/pubsub/push-handler.ts';

const log = createLog();
const edge = connect(readSettings(process.env), log);
const documents = later(async () => (await import('./trigger/documents/document-handler.ts')).documentEvents(edge, log));
const routes = later(async () => (await import('./trigger/pubsub/route-events.ts')).routeEvents(edge, log));
const events = later(async () => (await import('./trigger/events/event-handler.ts')).eventHandler(edge, log));
const inbox = later(async () => {
  const { inboxHandler } = await import('./trigger/inbox/inbox-handler.ts');
  const { createBounceFinder } = await import('./google/bounces/bounce-finder.ts');
  return inboxHandler({ ...edge, bounces: () => createBounceFinder(edge.bounceContext()) }, log);
});
const doors = {
  '/documents': documents,
  '/routes/': routes,
  '/events': events,
  '/events/': events,
  '/inbox': inbox,
  '/inbox/': inbox,
};
http('worker', serve(byPath(doors, pubsubWorker(edge, log))));
