import type { BundledPackage } from './bundled-packages.ts';
import type { Lock, Manifest } from './lock.ts';

/** The fields of a CycloneDX 1.6 component that are written here: https://cyclonedx.org/docs/1.6/json/ */
interface Component {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses?: readonly (
    | { readonly license: { readonly id: string } | { readonly name: string } }
    | { readonly expression: string }
  )[];
  readonly hashes?: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
}

/**
 * The bill of materials of a function: what is bundled into it, and what Google's builder installs beside it by its lock file. It
 * contains no time and no random number, so that the same source gives the same bytes.
 */
export function sbomOf({ name, version }: Manifest, bundled: readonly BundledPackage[], installed: Lock, whole: Lock): object {
  const own = `pkg:npm/${name}@${version}`;
  const components = [
    ...bundled.map((one) => component(one.name, one.version, one.license, whole.packages[one.folder] as Locked | undefined, 'bundled')),
    ...Object.entries(installed.packages)
      .filter(([path]) => path !== '')
      .map(([path, entry]) => {
        const { version = '', license = '' } = entry as Locked;
        return component(
          path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
          version,
          license,
          entry as Locked,
          'installed',
        );
      }),
  ];
  const unique = [...new Map(components.map((one) => [one['bom-ref'], one])).values()].sort((a, b) =>
    a['bom-ref'] < b['bom-ref'] ? -1 : 1,
  );
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', 'bom-ref': own, name, version, purl: own, licenses: [{ license: { id: 'Apache-2.0' } }] },
    },
    components: unique,
    dependencies: [{ ref: own, dependsOn: unique.map((one) => one['bom-ref']) }],
  };
}

function component(name: string, version: string, license: string, locked: Locked | undefined, how: string): Component {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  const [algorithm, digest = ''] = locked?.integrity?.split('-') ?? [];
  return {
    type: 'library',
    'bom-ref': `${purl}?how=${how}`,
    name,
    version,
    purl,
    ...(license !== '' && { licenses: [licenceOf(license)] }),
    ...(algorithm === 'sha512' && { hashes: [{ alg: 'SHA-512' as const, content: Buffer.from(digest, 'base64').toString('hex') }] }),
    properties: [{ name: 'mailgrant:how', value: how }],
  };
}

/** The licence of a package.json: an SPDX expression, an SPDX identifier, or another name, such as "BSD". */
function licenceOf(said: string): NonNullable<Component['licenses']>[number] {
  if (/[ ()]/.test(said)) return { expression: said };
  return { license: /\d|^(MIT|ISC|Unlicense|Zlib|WTFPL)$/.test(said) ? { id: said } : { name: said } };
}
