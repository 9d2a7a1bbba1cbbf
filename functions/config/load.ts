import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { Config } from '../mail/config.ts';
import { checkConfig } from './schema.ts';

/** Every problem of a config file, each one line. */
export class ConfigProblems extends Error {
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly string[]) {
    super(
      `${file} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((one) => `  ${one}`).join('\n')}`,
    );
    this.name = 'ConfigProblems';
    this.problems = problems;
  }
}

/** Reads and validates `config/mailgrant.yaml`. Throws ConfigProblems with everything that is wrong. */
export function loadConfig(file: string): Config {
  const document = parseDocument(readText(file), { uniqueKeys: true, strict: true });
  const broken = document.errors.map(({ message }) => message.split('\n', 1)[0] ?? message);
  if (broken.length > 0) throw new ConfigProblems(file, broken);
  const { config, problems } = checkConfig(document.toJS({ maxAliasCount: 20 }));
  if (!config) throw new ConfigProblems(file, problems);
  return config;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigProblems(file, [`cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'error'}`]);
  }
}
