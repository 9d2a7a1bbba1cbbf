import { readFileSync } from 'node:fs';
import type { Config } from '../mail/model/config.ts';
import { ConfigProblems } from './config-problems.ts';
import { readYaml } from './read-yaml.ts';
import { checkConfig } from './schema.ts';

/** Reads and validates `config/mailgrant.yaml`. Throws ConfigProblems with everything that is wrong. */
export function loadConfig(file: string): Config {
  const read = readYaml(file, readText(file));
  if ('problems' in read) throw new ConfigProblems(file, read.problems);
  const { config, problems } = checkConfig(read.value);
  if (!config) throw new ConfigProblems(file, read.placed(problems));
  return config;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigProblems(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`]);
  }
}
