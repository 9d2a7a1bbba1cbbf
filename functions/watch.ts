import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { createLog } from './runtime/log.ts';
import { serve } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
import { grantWatch } from './trigger/grant-watch.ts';

const log = createLog();
http('watch', serve(grantWatch(connect(readSettings(process.env), log), log)));
