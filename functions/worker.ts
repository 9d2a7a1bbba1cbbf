import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { createLog } from './runtime/log.ts';
import { serve } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
import { byPath, later } from './trigger/common/paths.ts';
import { pubsubWorker } from './trigger/pubsub/push-handler.ts';

const log = createLog();
const context = connect(readSettings(process.env), log);
const documents = later(async () => (await import('./trigger/documents/document-handler.ts')).documentEvents(context, log));
const routes = later(async () => (await import('./trigger/pubsub/route-events.ts')).routeEvents(context, log));
const events = later(async () => (await import('./trigger/events/event-handler.ts')).eventHandler(context, log));
const inbox = later(async () => {
  const { inboxHandler } = await import('./trigger/inbox/inbox-handler.ts');
  const { createBounceFinder } = await import('./google/bounces/bounce-finder.ts');
  return inboxHandler({ ...context, bounces: () => createBounceFinder(context.bounceContext()) }, log);
});
const doors = {
  '/documents': documents,
  '/routes/': routes,
  '/events': events,
  '/events/': events,
  '/inbox': inbox,
  '/inbox/': inbox,
};
http('worker', serve(byPath(doors, pubsubWorker(context, log))));
