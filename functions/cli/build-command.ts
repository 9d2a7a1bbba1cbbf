import { loadConfig } from '../config/load.ts';
import { archive } from './archive.ts';
import { buildFunctions } from './build.ts';
import { CONFIG, type Command } from './command.ts';

/** `build`: the config checked, and a bundle per function. */
export const BUILD: Command = {
  summary: 'check the config and bundle the functions into dist/',
  help: `  --config FILE  config to embed (${CONFIG})
--out DIR      where to write (dist)
--zip          also write one archive per function, byte for byte the same for the same source
--analyze      show what is in each bundle
--dry-run      check the config, write nothing
--json`,
  options: { out: { type: 'string' }, zip: { type: 'boolean' }, analyze: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  async run(options) {
    const config = String(options['config'] ?? CONFIG);
    if (options['dry-run']) return { data: loadConfig(config), text: `${config} is valid; nothing was written.` };
    const out = String(options['out'] ?? 'dist');
    const built = await buildFunctions(config, out);
    const archives = options['zip'] ? built.map(({ name }) => archive(out, name)) : [];
    const lines = built.map(({ file, bytes, inputs }) => {
      const parts = options['analyze'] ? inputs.slice(0, 25).map((one) => `\n  ${kilobytes(one.bytes)}  ${one.path}`) : [];
      return `${file}  ${kilobytes(bytes)}${parts.join('')}`;
    });
    lines.push(...archives.map(({ file, bytes, sha256 }) => `${file}  ${kilobytes(bytes)}  sha256 ${sha256}`));
    const next = options['zip'] ? 'npm run deploy -- --project ID' : 'npx functions-framework --source=dist/api --target=api';
    return {
      data: options['zip'] ? { built, archives } : built,
      text: `${lines.join('\n')}\nThe config ${config} is inside. Next: ${options['zip'] ? '' : 'serve one with '}${next}`,
    };
  },
};

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1).padStart(7)} kB`;
