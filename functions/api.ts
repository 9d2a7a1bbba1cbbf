import { http } from '@google-cloud/functions-framework';
import { connect } from './google/connect.ts';
import { readSettings } from './google/settings.ts';
import { createLog } from './log.ts';
import { serve } from './serve.ts';
import { resendApi } from './trigger/resend.ts';

const log = createLog();
http('api', serve(resendApi(connect(readSettings(process.env, 'queue'), log), log)));
