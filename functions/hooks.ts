import { http } from '@google-cloud/functions-framework';
import { createIdentity } from './google/auth/service-identity.ts';
import { createWebhookVerifier } from './google/auth/webhook-verifier.ts';
import { connect } from './google/connect.ts';
import { createLog } from './runtime/log.ts';
import { serve } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
import { webhooks } from './trigger/hooks/webhook-handler.ts';

const log = createLog();
const settings = readSettings(process.env, 'queue');
const identity = createIdentity(settings.urls.metadata);
http('hooks', serve(webhooks(connect(settings, log, identity), createWebhookVerifier(settings, identity), log)));
