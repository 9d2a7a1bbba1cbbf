import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build as bundle, type Metafile, type Plugin, transform } from 'esbuild';
import { type CompiledConfig, compileConfig } from '../../config/compile-config.ts';
import { wholeConfig } from '../../config/load-config.ts';
import { lockFile, moduleFile, packageFile } from '../common/package-files.ts';
import { bundledPackages, licenceTexts } from './bundled-packages.ts';
import { type Lock, lockFor, type Manifest } from './lock.ts';
import { sbomOf } from './sbom.ts';

/** The functions that are deployed, each an entry file of that name. */
export const DEPLOYABLES = ['api', 'worker', 'hooks', 'watch'] as const;

/** The built-in configuration as one file, with what it extends: Terraform reads this file when an environment is deployed. */
export const WHOLE_CONFIG = 'dist/mailgrant.yaml';

/** One file of a bundle, and its sources with their share in bytes, largest first. */
export interface Part {
  readonly file: string;
  readonly bytes: number;
  /** True if it is loaded when an instance starts; else the first email that needs it loads it. */
  readonly atStart: boolean;
  readonly inputs: readonly { readonly path: string; readonly bytes: number }[];
}

export interface Built {
  readonly name: string;
  readonly file: string;
  /** What is loaded when an instance starts. */
  readonly bytes: number;
  /** With the parts that are loaded later. */
  readonly allBytes: number;
  readonly parts: readonly Part[];
}

const FRAMEWORK = '@google-cloud/functions-framework';

/**
 * Validates the configuration, compiles its routes, and makes one minified CommonJS bundle per function with the configuration
 * inside, and with a package.json and a lock file of its own: `dist/<name>` is all that is deployed. Throws ConfigProblems before
 * anything is written. `plugins` of esbuild may change what is bundled: the chaos test builds copies with a planted defect.
 */
export async function buildFunctions(configFile: string, outFolder: string, plugins: Plugin[] = []): Promise<Built[]> {
  const compiled = compileConfig(configFile);
  mkdirSync(outFolder, { recursive: true });
  writeFileSync(join(outFolder, basename(WHOLE_CONFIG)), wholeConfig(configFile));
  return Promise.all(DEPLOYABLES.map((name) => buildFunction(name, compiled, join(outFolder, name), plugins)));
}

/**
 * A dynamic import becomes a file of its own, so that an instance parses only what its path needs (docs/decisions/055).
 * esbuild splits ES modules only: it does so first, and each piece is turned into CommonJS after.
 */
async function buildFunction(name: string, { config, module }: CompiledConfig, folder: string, plugins: Plugin[]): Promise<Built> {
  const { metafile, outputFiles } = await bundle({
    entryPoints: { index: moduleFile(name) },
    // Names of chunks contain a hash of source paths too: the names do not depend on the output folder, nor on what node_modules
    // links to.
    outdir: join('dist', name),
    preserveSymlinks: true,
    outExtension: { '.js': '.cjs' },
    chunkNames: '[name]-[hash]',
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    sourcemap: 'inline',
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // The framework's registry is a module-level map: a bundled copy would register functions that nobody looks up.
    external: [FRAMEWORK],
    plugins: [inPlaceOf(/[\\/]notify[\\/]compiled\.[jt]s$/, module), ...plugins],
    define: { MAILGRANT_EMBEDDED_CONFIG: JSON.stringify(config) },
    logLevel: 'warning',
  });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const sizes = await Promise.all(
    outputFiles.map(async ({ path, text }): Promise<[string, number]> => {
      const { code, map } = await transform(text, {
        sourcefile: basename(path),
        sourcemap: 'external',
        minify: true,
        platform: 'node',
        target: 'node24',
        format: 'cjs',
        supported: { 'dynamic-import': false }, // else the first lazy load would start Node's other module loader
      });
      writeFileSync(join(folder, basename(path)), `${code}//# sourceMappingURL=${basename(path)}.map\n`);
      writeFileSync(join(folder, `${basename(path)}.map`), map);
      return [basename(path), Buffer.byteLength(code)];
    }),
  );
  const write = (file: string, content: object): void => writeFileSync(join(folder, file), `${JSON.stringify(content, null, 2)}\n`);
  const manifest = manifestOf(name);
  write('package.json', manifest);
  const whole = JSON.parse(readFileSync(lockFile(), 'utf8')) as Lock;
  const lock = lockFor(manifest, whole);
  write('package-lock.json', lock);
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const packages = bundledPackages(inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path));
  write('sbom.cdx.json', sbomOf(manifest, packages, lock, whole));
  writeFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), licenceTexts(packages));
  return describe(name, folder, metafile, new Map(sizes));
}

/** Makes the bundler read that text in place of the matching source. */
const inPlaceOf = (filter: RegExp, contents: string): Plugin => ({
  name: 'in-place-of',
  setup: (build) => build.onLoad({ filter }, () => ({ contents, loader: 'js' })),
});

function manifestOf(name: string): Manifest {
  const own = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string; dependencies: Record<string, string> };
  return {
    name: `mailgrant-${name}`,
    version: own.version,
    private: true,
    main: 'index.cjs',
    // Exact: under `>=24` Google's builder may take the next Node, which nobody tested (docs/first-deployment.md, H10).
    engines: { node: '24.x' },
    dependencies: { [FRAMEWORK]: own.dependencies[FRAMEWORK] ?? '' },
  };
}

function describe(name: string, folder: string, { outputs }: Metafile, sizes: ReadonlyMap<string, number>): Built {
  const files = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]));
  const atStart = new Set(['index.cjs']);
  // Iterating over a set includes what is added meanwhile.
  for (const file of atStart)
    for (const { path, kind } of files.get(file)?.imports ?? [])
      if (kind === 'import-statement' && files.has(basename(path))) atStart.add(basename(path));
  const parts = [...files].map(([file, { inputs }]) => ({
    file: join(folder, file),
    bytes: sizes.get(file) ?? 0,
    atStart: atStart.has(file),
    inputs: Object.entries(inputs)
      .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
      .filter(({ bytes }) => bytes > 0)
      .sort((a, b) => b.bytes - a.bytes),
  }));
  parts.sort((a, b) => Number(b.atStart) - Number(a.atStart) || b.bytes - a.bytes);
  const sum = (some: readonly Part[]): number => some.reduce((total, { bytes }) => total + bytes, 0);
  return {
    name,
    file: join(folder, 'index.cjs'),
    bytes: sum(parts.filter((part) => part.atStart)),
    allBytes: sum(parts),
    parts,
  };
}
