import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hookSchema } from '../../functions/config/hook-schema.ts';
import type { Scheme, Setting } from '../../functions/verify/proof/scheme.ts';
import { github } from '../../functions/verify/schemes/github.ts';
import { SCHEMES } from '../../functions/verify/schemes/table.ts';

/** A value of each setting that is no default, and how it reads in the hook. */
const SETTINGS: Record<Setting, { given: string; read: unknown }> = {
  header: { given: 'X-Sum', read: 'x-sum' },
  algorithm: { given: 'sha512', read: 'sha512' },
  encoding: { given: 'base64', read: 'base64' },
  prefix: { given: 'v9=', read: 'v9=' },
  timestamp: { given: 'X-Time', read: 'x-time' },
  audience: { given: 'https://hooks.example.com', read: 'https://hooks.example.com' },
  email: { given: 'Ticks@example.com', read: 'ticks@example.com' },
  rememberFor: { given: '2h', read: 7_200_000 },
};
const settings = Object.keys(SETTINGS) as Setting[];

const readBy = (schemes: Record<string, Scheme>, verify: string, given: readonly Setting[]): unknown[] => {
  const secret = schemes[verify]?.secret ? { secret: 'hook-secret' } : {};
  const hook = hookSchema(schemes).parse({ verify, ...secret, ...Object.fromEntries(given.map((name) => [name, SETTINGS[name].given])) });
  const { rememberMs, hmac, google } = hook;
  const found: Record<string, unknown> = { rememberFor: rememberMs, ...hmac, ...google };
  return given.map((name) => found[name]);
};

// A new vendor may take a setting that only one scheme takes today.
for (const setting of settings)
  for (const from of ['needs', 'takes'] as const)
    test(`a scheme of another name that ${from} ${setting} finds it in its hook`, () => {
      const vendor: Scheme = { ...github, needs: [], takes: [], [from]: [setting] };
      assert.deepEqual(readBy({ ...SCHEMES, vendor }, 'vendor', [setting]), [SETTINGS[setting].read]);
    });

for (const [name, { needs, takes }] of Object.entries(SCHEMES))
  test(`every setting of ${name} is in its hook`, () => {
    const given = [...needs, ...takes];
    assert.deepEqual(
      readBy(SCHEMES, name, given),
      given.map((one) => SETTINGS[one].read),
    );
  });
