import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { Config } from '../mail/config.ts';
import { ConfigProblems } from './problems.ts';
import { checkConfig } from './schema.ts';

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
