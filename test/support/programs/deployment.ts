import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type Review, reviewPlan } from '../../../functions/cli/deploy/review-plan.ts';
import { INFRA, KIT } from './terraform.ts';

const run = promisify(execFile);

/** A deployment with a state of its own, by Terraform against the stand-in of the provider: what is applied is there at the next plan. */
export interface Deployment extends AsyncDisposable {
  /** Where Terraform runs: a copy of infra/. */
  readonly folder: string;
  /** What Terraform is started with, and where it finds the stand-in. */
  readonly env: Readonly<Record<string, string>>;
  readonly plugins: string;
  /** Plans for a config and answers what it would do; null where there is nothing to do. Rejects with what Terraform said. */
  plan(config: string, variables?: Readonly<Record<string, unknown>>): Promise<Review | null>;
  /** Applies what was planned last. */
  apply(): Promise<void>;
  destroy(): Promise<void>;
  /** Runs Terraform with words of its own. */
  terraform(...words: string[]): Promise<string>;
}

/** Lays out a copy of infra/ by the kit and opens a local state in it. `change` may alter the copy before. */
export async function openDeployment(directory = INFRA): Promise<Deployment> {
  // The kit removes its copy unless told to keep it; it says where that is.
  const { stderr } = spawnSync(join(KIT, 'tf'), [directory, 'state', 'list'], {
    env: { ...process.env, TF_OFFLINE_KEEP: '1' },
    encoding: 'utf8',
  });
  const work = /tf: kept (\S+)/.exec(stderr)?.[1];
  if (!work) throw new Error(stderr);
  const folder = join(work, 'copy/infra');
  const settings = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const env = {
    ...process.env,
    TF_CLI_CONFIG_FILE: join(work, 'terraform.rc'),
    TF_DISABLE_PLUGIN_TLS: '1',
    TF_CLI_ARGS: '-no-color',
    CHECKPOINT_DISABLE: '1',
    TF_INPUT: '0',
    PLUGIN_UNIX_SOCKET_DIR: work,
    STUB_NODE: process.execPath,
    STUB_PROVIDER: join(KIT, 'stub/provider.mjs'),
  };
  let flags: string[] = [];
  const terraform = async (...words: string[]): Promise<string> => {
    const { stdout } = await run('terraform', words, { cwd: folder, env, maxBuffer: 50_000_000 }).catch(
      (error: { code?: number; stdout: string; stderr: string }) => {
        if (words.includes('-detailed-exitcode') && error.code === 2) return { stdout: error.stdout };
        throw new Error(`${error.stdout}${error.stderr}`);
      },
    );
    return stdout;
  };
  return {
    folder,
    env: Object.fromEntries(Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined)),
    plugins: join(work, 'plugins'),
    terraform,
    async plan(config, variables = {}) {
      writeFileSync(join(settings, 'config.yaml'), config);
      const given = {
        project_id: 'acme-mail-prod',
        config_file: join(settings, 'config.yaml'),
        dist: join(INFRA, 'tests/archives'),
        settle_seconds: 0,
        ...variables,
      };
      flags = Object.entries(given).flatMap(([name, value]) => [
        '-var',
        `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ]);
      const said = await terraform('plan', '-detailed-exitcode', `-out=${join(settings, 'plan')}`, ...flags);
      return /^No changes\./m.test(said) ? null : reviewPlan(await terraform('show', '-json', join(settings, 'plan')));
    },
    async apply() {
      await terraform('apply', join(settings, 'plan'));
    },
    async destroy() {
      await terraform('destroy', '-auto-approve', ...flags);
    },
    async [Symbol.asyncDispose]() {
      for (const one of [work, settings]) rmSync(one, { recursive: true, force: true });
      rmSync(dirname(work) === tmpdir() ? work : settings, { recursive: true, force: true });
    },
  };
}
