import { loadConfig } from '../config/load.ts';
import { type Built, buildFunctions } from './build.ts';
import { CONFIG, type Command } from './command.ts';

/** `build`: the config checked, and a bundle per function. */
export const BUILD: Command = {
  summary: 'check the config and bundle the functions into dist/',
  help: `  --config FILE  config to embed (${CONFIG})
--out DIR      where to write (dist)
--analyze      show what is in each bundle: what an instance loads at its start, and what later
--dry-run      check the config, write nothing
--json`,
  options: { out: { type: 'string' }, analyze: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  async run(options) {
    const config = String(options['config'] ?? CONFIG);
    if (options['dry-run']) return { data: loadConfig(config), text: `${config} is valid; nothing was written.` };
    const built = await buildFunctions(config, String(options['out'] ?? 'dist'));
    const lines = built.flatMap((one) => [
      `${one.file}  ${kilobytes(one.bytes)} at start, ${kilobytes(one.allBytes)} in all`,
      ...(options['analyze'] ? analysis(one) : []),
    ]);
    return {
      data: built,
      text: `${lines.join('\n')}\nThe config ${config} is inside. Next: serve one with npx functions-framework --source=dist/api --target=api`,
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
