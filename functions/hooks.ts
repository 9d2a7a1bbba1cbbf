import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { createIdentity } from './google/identity.ts';
import { readSettings } from './google/settings.ts';
import { createWitness } from './google/witness.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { webhooks } from './trigger/webhook.ts';

const log = createLog();
const settings = readSettings(process.env, 'queue');
const identity = createIdentity(settings.urls.metadata);
http('hooks', serve(webhooks(connect(settings, log, identity), createWitness(settings, identity), log)));
