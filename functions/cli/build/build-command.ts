import { compileConfig } from '../../config/compile-config.ts';
import { ENV, type Leaf } from '../common/command.ts';
import { configFile } from '../common/project-folder.ts';
import { showStep } from '../common/terminal.ts';
import { archive } from './archive.ts';
import { type Built, buildFunctions } from './build.ts';

/** `build`: checks the configuration, and makes a bundle per function. */
export const BUILD: Leaf = {
  summary: 'check the config and bundle the functions into dist/',
  options: {
    ...ENV,
    out: { value: 'DIR', about: 'where to write (dist)' },
    zip: { about: 'also write DIR/NAME.zip, what is deployed: the same bytes for the same source' },
    analyze: { about: 'show what is in each bundle: what an instance loads at its start, and what later' },
    'dry-run': { about: 'check the config, write nothing' },
  },
  examples: ['build --zip', 'build --analyze'],
  async run(options) {
    const config = configFile(options);
    if (options['dry-run']) return { data: compileConfig(config).config, text: `${config} is valid; nothing was written.` };
    const out = String(options['out'] ?? 'dist');
    showStep(`Bundle the functions into ${out}/`, options);
    const built = await buildFunctions(config, out);
    const lines = built.flatMap((one) => [
      `${one.file}  ${kilobytes(one.bytes)} at start, ${kilobytes(one.allBytes)} in all`,
      ...(options['analyze'] ? analysis(one) : []),
    ]);
    if (!options['zip'])
      return {
        data: { functions: built },
        text: `${lines.join('\n')}\nThe config ${config} is inside. Next: serve one with npx functions-framework --source=dist/api --target=api`,
      };
    const archives = built.map(({ name }) => archive(out, name));
    lines.push(...archives.map(({ file, bytes, sha256 }) => `${file}  ${kilobytes(bytes)}  sha256 ${sha256}`));
    return {
      data: { functions: built.map((one, index) => ({ ...one, archive: archives[index] })) },
      text: `${lines.join('\n')}\nThe config ${config} is inside. Next: npx mailgrant deploy --project ID`,
    };
  },
};

const LARGEST = 12;

const analysis = ({ parts }: Built): string[] =>
  parts.flatMap(({ file, bytes, atStart, inputs }) => [
    `  ${kilobytes(bytes)}  ${file}, loaded ${atStart ? 'at start' : 'when it is needed'}`,
    ...inputs.slice(0, LARGEST).map((one) => `      ${kilobytes(one.bytes)}  ${one.path}`),
    ...(inputs.length > LARGEST ? [`               and ${inputs.length - LARGEST} smaller files`] : []),
  ]);

const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(1).padStart(7)} kB`;
