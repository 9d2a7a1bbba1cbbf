import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { readSettings } from './google/settings.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { documentEvents } from './trigger/documents.ts';
import { byPath, later } from './trigger/paths.ts';
import { pubsubWorker } from './trigger/push.ts';

const log = createLog();
const edge = connect(readSettings(process.env), log);
const routes = later(async () => (await import('./trigger/route-events.ts')).routeEvents(edge, log));
http('worker', serve(byPath({ '/documents': documentEvents(edge, log), '/routes/': routes }, pubsubWorker(edge, log))));
