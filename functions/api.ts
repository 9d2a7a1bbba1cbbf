import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { createLog } from './runtime/log.ts';
import { serve } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
import { resendApi } from './trigger/http/resend-api.ts';

const log = createLog();
http('api', serve(resendApi(connect(readSettings(process.env, 'queue'), log), log)));
