import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Config } from '../mail/model/config.ts';
import { ConfigProblems } from './config-problems.ts';
import { mergePatch } from './merge-patch.ts';
import { readYaml } from './read-yaml.ts';
import { checkConfig } from './schema.ts';

/** Reads and validates `config/mailgrant.yaml`. Throws ConfigProblems with every problem. */
export const loadConfig = (file: string): Config => checkText(file, readText(file));

/** The same for a text that is not yet in the file. */
export function checkText(file: string, text: string): Config {
  const { value, placed } = wholeValue(file, text);
  const { config, problems } = checkConfig(value);
  if (!config) throw new ConfigProblems(file, placed(problems));
  return config;
}

/** The configuration as one file, for programs that do not read `extends`, such as Terraform. Throws ConfigProblems. */
export function wholeConfig(file: string): string {
  loadConfig(file);
  return stringify(wholeValue(file, readText(file)).value, { lineWidth: 0 });
}

interface Whole {
  readonly value: unknown;
  placed(problems: readonly string[]): string[];
}

/**
 * A file merged over the file that its `extends` names: an environment contains only its differences (docs/decisions/087). A
 * problem is placed in the file itself if the file has the setting, else in the file that it extends.
 */
function wholeValue(file: string, text: string): Whole {
  const read = readYaml(file, text);
  if ('problems' in read) throw new ConfigProblems(file, read.problems);
  if (!isMap(read.value) || !('extends' in read.value)) return read;
  const { extends: name, ...own } = read.value;
  if (typeof name !== 'string' || !/^[\w.-]+\.yaml$/.test(name))
    throw new ConfigProblems(file, read.placed(['extends: expected the name of a file beside this one, such as mailgrant.yaml']));
  const base = join(dirname(file), name);
  const under = readYaml(base, readText(base));
  if ('problems' in under) throw new ConfigProblems(base, under.problems);
  if (isMap(under.value) && 'extends' in under.value)
    throw new ConfigProblems(file, read.placed([`extends: ${name} extends another file itself; name that one`]));
  return {
    value: mergePatch(under.value, own),
    placed: (problems) => problems.map((one) => read.placed([one]).find((placed) => placed !== one) ?? under.placed([one])[0] ?? one),
  };
}

/** The file that a configuration extends; none if it extends nothing. */
export function baseOf(file: string): string[] {
  const { extends: name } = (readYaml(file, readText(file)) as { value?: { extends?: unknown } }).value ?? {};
  return typeof name === 'string' ? [join(dirname(file), name)] : [];
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigProblems(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`]);
  }
}
