import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CommandOptions } from './command.ts';

/** Where a project has its config: a project of its own, or a checkout of mailgrant. */
const CONFIGS = ['mailgrant.yaml', 'config/mailgrant.yaml'];

/** The folder of the project that `from` is in: the nearest one, upwards, that has a config; null where there is none. */
export function projectFolder(from: string): string | null {
  for (let at = resolve(from); ; at = dirname(at)) {
    if (CONFIGS.some((file) => existsSync(join(at, file)))) return at;
    if (dirname(at) === at) return null;
  }
}

/** The config file: as given, or the project's own, or its environment's beside that, seen from the project's folder. */
export function configFile({ config, env }: CommandOptions): string {
  if (config !== undefined) return String(config);
  const usual = CONFIGS.find((file) => existsSync(file)) ?? 'mailgrant.yaml';
  return env === undefined ? usual : join(dirname(usual), `${String(env)}.yaml`);
}
