import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExchange } from '../../functions/google/call.ts';

const addresses = ['oauth2.googleapis.com/token', 'ftp://127.0.0.1/x', 'https:///token', '/token', '', 'https://[::1/x'];
for (const url of addresses)
  test(`an address that is none is called nowhere: ${JSON.stringify(url)}`, async () => {
    const exchange = createExchange()(AbortSignal.timeout(5_000));
    await assert.rejects(exchange({ method: 'GET', url, timeoutMs: 1_000 }), { message: 'ERR_INVALID_URL', left: false });
  });
