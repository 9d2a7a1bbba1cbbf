import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetUrl } from '../../../functions/cli/common/target.ts';

const given: { url: string; becomes: string | null }[] = [
  { url: 'https://api-abc-ew.a.run.app', becomes: 'https://api-abc-ew.a.run.app' },
  { url: 'https://api-abc-ew.a.run.app/', becomes: 'https://api-abc-ew.a.run.app' },
  { url: 'https://example.com/mail//', becomes: 'https://example.com/mail' },
  { url: 'https://Bücher.example', becomes: 'https://xn--bcher-kva.example' },
  { url: 'http://127.0.0.1:8080', becomes: 'http://127.0.0.1:8080' },
  { url: 'http://[::1]:8080/', becomes: 'http://[::1]:8080' },
  { url: 'http://localhost', becomes: 'http://localhost' },
  { url: 'http://api.example.com', becomes: null }, // the key would travel in the clear
  { url: 'http://127.0.0.1.example.com', becomes: null },
  { url: 'https://', becomes: null },
  { url: 'api.example.com', becomes: null },
];
for (const { url, becomes } of given)
  test(`--url ${url} ${becomes === null ? 'is refused' : `is ${becomes}`}`, () => {
    if (becomes === null) assert.throws(() => targetUrl(url, {}), /--url: expected/);
    else assert.deepEqual([targetUrl(url, {}), targetUrl(undefined, { MAILGRANT_URL: url })], [becomes, becomes]);
  });
