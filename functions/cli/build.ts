import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as bundle, type Metafile } from 'esbuild';
import { loadConfig } from '../config/load.ts';
import { type Lock, lockFor } from './lock.ts';

/** The functions that are deployed, each an entry file of that name. */
export const DEPLOYABLES = ['api', 'worker', 'watch'] as const;

export interface Built {
  readonly name: string;
  readonly file: string;
  readonly bytes: number;
  /** What went into the bundle, with its share in bytes, largest first. */
  readonly inputs: readonly { readonly path: string; readonly bytes: number }[];
}

const FRAMEWORK = '@google-cloud/functions-framework';

/**
 * Validates the config, and makes one minified CommonJS bundle per function with the config inside, a package.json and
 * a lock file of its own: `dist/<name>` is all that is deployed. Throws ConfigProblems before anything is written.
 */
export async function buildFunctions(configFile: string, outFolder: string): Promise<Built[]> {
  const config = loadConfig(configFile);
  const own = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; dependencies: Record<string, string> };
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lock;
  for (const name of DEPLOYABLES) rmSync(join(outFolder, name), { recursive: true, force: true });
  const { metafile } = await bundle({
    entryPoints: DEPLOYABLES.map((name) => ({ in: `functions/${name}.ts`, out: `${name}/index` })),
    outdir: outFolder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    minify: true,
    sourcemap: true,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Its registry is a module-level map: a bundled copy would register into nowhere.
    external: [FRAMEWORK],
    define: { MAILGRANT_EMBEDDED_CONFIG: JSON.stringify(config) },
    logLevel: 'warning',
  });
  return DEPLOYABLES.map((name) => {
    const manifest = {
      name: `mailgrant-${name}`,
      version: own.version,
      private: true,
      main: 'index.cjs',
      engines: { node: '>=24' },
      dependencies: { [FRAMEWORK]: own.dependencies[FRAMEWORK] ?? '' },
    };
    const write = (file: string, content: object): void =>
      writeFileSync(join(outFolder, name, file), `${JSON.stringify(content, null, 2)}\n`);
    write('package.json', manifest);
    write('package-lock.json', lockFor(manifest, lock));
    return describe(name, `${outFolder}/${name}/index.cjs`, metafile);
  });
}

function describe(name: string, file: string, { outputs }: Metafile): Built {
  const output = Object.entries(outputs).find(([path]) => path.endsWith(`${name}/index.cjs`))?.[1];
  const inputs = Object.entries(output?.inputs ?? {}).map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }));
  return { name, file, bytes: output?.bytes ?? 0, inputs: inputs.sort((a, b) => b.bytes - a.bytes) };
}
