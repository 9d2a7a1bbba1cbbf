import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { inspectGrants } from './google/inspect/inspect-grants.ts';
import { createLog } from './runtime/log.ts';
import { serve } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
import { grantWatch } from './trigger/grant-watch.ts';

const log = createLog();
const settings = readSettings(process.env);
const context = connect(settings, log);
http('watch', serve(grantWatch({ ...context, inspectAll: () => inspectGrants(settings, context) }, log)));
