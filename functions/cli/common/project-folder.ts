import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CommandOptions } from './command.ts';

/** Where a project has its configuration: in a project of its own, or in a checkout of mailgrant. */
const CONFIGS = ['mailgrant.yaml', 'config/mailgrant.yaml'];

/** The project folder of `from`: the nearest folder, upwards, that has a configuration; null where there is none. */
export function projectFolder(from: string): string | null {
  for (let at = resolve(from); ; at = dirname(at)) {
    if (CONFIGS.some((file) => existsSync(join(at, file)))) return at;
    if (dirname(at) === at) return null;
  }
}

/** The configuration file: as given, or the project's own, or the environment's beside it, relative to the project's folder. */
export function configFile({ config, env }: CommandOptions): string {
  if (config !== undefined) return String(config);
  const usual = CONFIGS.find((file) => existsSync(file)) ?? 'mailgrant.yaml';
  return env === undefined ? usual : join(dirname(usual), `${String(env)}.yaml`);
}
