import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { readSettings } from './google/settings.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { grantWatch } from './trigger/watch.ts';

const log = createLog();
http('watch', serve(grantWatch(connect(readSettings(process.env), log), log)));
