import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as bundle, type Metafile, type Plugin } from 'esbuild';
import { loadConfig } from '../config/load.ts';

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
 * Validates the config, and makes one minified CommonJS bundle per function with the config inside and a package.json
 * of its own: `dist/<name>` is all that is deployed. Throws ConfigProblems before anything is written.
 * `plugins` of esbuild may change what is bundled: the chaos proof builds copies that it has broken.
 */
export async function buildFunctions(configFile: string, outFolder: string, plugins: Plugin[] = []): Promise<Built[]> {
  const config = loadConfig(configFile);
  const own = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; dependencies: Record<string, string> };
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
    plugins,
  });
  return DEPLOYABLES.map((name) => {
    const manifest = {
      name: `mailgrant-${name}`,
      version: own.version,
      private: true,
      main: 'index.cjs',
      engines: { node: '>=24' },
      dependencies: { [FRAMEWORK]: own.dependencies[FRAMEWORK] },
    };
    writeFileSync(join(outFolder, name, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    return describe(name, `${outFolder}/${name}/index.cjs`, metafile);
  });
}

function describe(name: string, file: string, { outputs }: Metafile): Built {
  const output = Object.entries(outputs).find(([path]) => path.endsWith(`${name}/index.cjs`))?.[1];
  const inputs = Object.entries(output?.inputs ?? {}).map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }));
  return { name, file, bytes: output?.bytes ?? 0, inputs: inputs.sort((a, b) => b.bytes - a.bytes) };
}
