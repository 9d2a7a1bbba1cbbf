/** What each archive says of what is in it: a bill of materials, and the licences of others. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import * as z from 'zod';
import { type Built, buildFunctions } from '../../../functions/cli/build/build.ts';
import { bundledPackages, licenceTexts } from '../../../functions/cli/build/bundled-packages.ts';

const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
let built: Built[];
before(async () => {
  built = await buildFunctions('config/mailgrant.yaml', folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

// CycloneDX 1.6, as far as it is written: https://cyclonedx.org/docs/1.6/json/
const component = z.strictObject({
  type: z.enum(['library', 'application']),
  'bom-ref': z.string().min(1),
  name: z.string().min(1),
  version: z.string().regex(/^\d/),
  purl: z.string().regex(/^pkg:npm\/(%40[^/]+\/)?[^/@]+@\d/),
  licenses: z
    .array(
      z.union([
        z.strictObject({ license: z.union([z.strictObject({ id: z.string() }), z.strictObject({ name: z.string() })]) }),
        z.strictObject({ expression: z.string() }),
      ]),
    )
    .optional(),
  hashes: z.array(z.strictObject({ alg: z.literal('SHA-512'), content: z.string().regex(/^[0-9a-f]{128}$/) })).optional(),
  properties: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
});
const bom = z.strictObject({
  $schema: z.literal('http://cyclonedx.org/schema/bom-1.6.schema.json'),
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  version: z.literal(1),
  metadata: z.strictObject({ component }),
  components: z.array(component),
  dependencies: z.array(z.strictObject({ ref: z.string(), dependsOn: z.array(z.string()) })),
});

/** Licences that may be in what is deployed: all of them let it be used and passed on, with their text. */
const ALLOWED = /^(MIT|MIT-0|ISC|0BSD|BSD|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|BlueOak-1\.0\.0|Unlicense|CC0-1\.0|CC-BY-3\.0)$/;
const read = (name: string, file: string): string => readFileSync(join(folder, name, file), 'utf8');
const idsOf = (one: z.output<typeof component>): string[] =>
  (one.licenses ?? []).flatMap((entry) =>
    'license' in entry ? Object.values(entry.license) : entry.expression.split(/ OR | AND |[()]/).filter(Boolean),
  );

test('each archive has a bill of materials, and each part of it a version, a licence that is allowed, and the hash of the lock file', () => {
  for (const { name } of built) {
    const { components, dependencies } = bom.parse(JSON.parse(read(name, 'sbom.cdx.json')));
    assert.ok(components.length > 100, name);
    assert.deepEqual(dependencies[0]?.dependsOn.sort(), components.map((one) => one['bom-ref']).sort());
    const bad = components.filter(
      (one) => idsOf(one).length === 0 || !idsOf(one).some((id) => ALLOWED.test(id)) || one.hashes === undefined,
    );
    assert.deepEqual(
      bad.map(({ purl }) => purl),
      [],
      name,
    );
  }
});

test('what is in a bundle is in its bill, as bundled', () => {
  for (const { name, parts } of built) {
    const inputs = parts.flatMap((part) => part.inputs.map(({ path }) => path));
    const names = bundledPackages(inputs).map((one) => `${one.name}@${one.version}`);
    const { components } = bom.parse(JSON.parse(read(name, 'sbom.cdx.json')));
    const told = components.filter(({ properties }) => properties?.[0]?.value === 'bundled').map((one) => `${one.name}@${one.version}`);
    assert.deepEqual(told.sort(), names.sort(), name);
  }
});

test('the licence of every bundled package is in the archive, in full', () => {
  for (const { name, parts } of built) {
    const text = read(name, 'THIRD-PARTY-LICENCES.txt');
    for (const one of bundledPackages(parts.flatMap((part) => part.inputs.map(({ path }) => path)))) {
      assert.ok(text.includes(`${one.name} ${one.version} (${one.license})`), `${name}: ${one.name}`);
      for (const licence of one.texts) assert.ok(text.includes(licence), `${name}: ${one.name}`);
    }
  }
});

test('a package without a licence file is named with what it says of itself', () => {
  const bare = { name: 'x', version: '1.0.0', license: 'MIT', texts: [], folder: 'node_modules/x' };
  assert.match(licenceTexts([bare]), /x 1\.0\.0 \(MIT\)\n\n\(ships no licence file; its package\.json says: MIT\)/);
});
