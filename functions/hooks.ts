import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { createIdentity } from './google/identity.ts';
import { readSettings } from './google/settings.ts';
import { createWitness } from './google/witness.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { compiledRoutes } from './trigger/compiled-routes.ts';
import { webhooks } from './trigger/webhook.ts';

const log = createLog(console.log);
const settings = readSettings(process.env, 'queue');
const identity = createIdentity(settings.urls.metadata);
const edge = connect(settings, log, identity);
http('hooks', serve(webhooks(edge, createWitness(settings, identity), () => compiledRoutes(edge), log)));
