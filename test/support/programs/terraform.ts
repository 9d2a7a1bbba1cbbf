import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from './emulators.ts';

const run = promisify(execFile);

/**
 * A folder with `tf DIR plan-json` (Terraform against a stand-in of the provider, without network) and `tools/check.mjs`
 * (a check against the provider's schema), named by MAILGRANT_TERRAFORM_OFFLINE; '' where there is none.
 */
export const KIT = process.env['MAILGRANT_TERRAFORM_OFFLINE'] ?? '';
export const hasTerraform = KIT !== '' && existsSync(join(KIT, 'tf')) && onPath('terraform');

type Values = Readonly<Record<string, unknown>>;

/** A plan as `terraform show -json` writes it, as far as it is looked into. */
export interface Plan {
  readonly resources: readonly {
    readonly address: string;
    readonly type: string;
    readonly name: string;
    readonly values: Values;
    /** True at each value that only an apply will know. */
    readonly unknown: Values;
  }[];
  /** What each resource waits for, by its address without an index: `depends_on` as it is written. */
  readonly waits: Readonly<Record<string, readonly string[]>>;
  /** What each resource speaks of, itself or by `local.` and `var.`, without attributes. */
  readonly refers: Readonly<Record<string, readonly string[]>>;
  /** The arguments that are written, by the resource's address without an index: what is left out may be unknown in the plan. */
  readonly written: Readonly<Record<string, unknown>>;
}

interface Shown {
  readonly resource_changes: readonly { readonly address: string; readonly change: { readonly after_unknown: Values } }[];
  readonly planned_values: { readonly root_module: { readonly resources: Plan['resources'] } };
  readonly configuration: {
    readonly root_module: {
      readonly resources: readonly {
        readonly address: string;
        readonly depends_on?: readonly string[];
        readonly expressions?: unknown;
        readonly for_each_expression?: unknown;
      }[];
    };
  };
}

export const INFRA = join(import.meta.dirname, '../../../infra');
export const fixture = (name: string): string => join(INFRA, 'tests', `${name}.yaml`);

/** Plans a directory for one config; `variables` are given as `-var`. Rejects with what Terraform said. */
export async function plan(config: string, variables: Values = {}, directory = INFRA): Promise<Plan> {
  const given = { project_id: 'acme-mail-prod', config_file: config, dist: join(INFRA, 'tests/archives'), ...variables };
  const flags = Object.entries(given).flatMap(([name, value]) => [
    '-var',
    `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  ]);
  const { stdout } = await run(join(KIT, 'tf'), [directory, 'plan-json', ...flags], { maxBuffer: 50_000_000 }).catch(
    (error: { stderr?: string }) => {
      throw new Error(error.stderr ?? 'terraform did not run');
    },
  );
  const shown = JSON.parse(stdout) as Shown;
  const waits = shown.configuration.root_module.resources.map(({ address, depends_on }) => [address, depends_on ?? []] as const);
  const refers = shown.configuration.root_module.resources.map(
    ({ address, expressions, for_each_expression: each }) => [address, referencesIn([expressions, each])] as const,
  );
  const unknown = new Map(shown.resource_changes.map(({ address, change }) => [address, change.after_unknown]));
  const resources = shown.planned_values.root_module.resources.map((one) => ({ ...one, unknown: unknown.get(one.address) ?? {} }));
  const written = shown.configuration.root_module.resources.map(({ address, expressions }) => [address, expressions] as const);
  return { resources, waits: Object.fromEntries(waits), refers: Object.fromEntries(refers), written: Object.fromEntries(written) };
}

function referencesIn(expressions: unknown): string[] {
  const found = [...JSON.stringify(expressions ?? {}).matchAll(/"(google_\w+\.\w+)/g)].map(([, address = '']) => address);
  return [...new Set(found)];
}

/** What the static check says of a directory, one problem a line; '' for nothing. */
export async function staticCheck(directory: string): Promise<string> {
  const { stdout } = await run(process.execPath, [join(KIT, 'tools/check.mjs'), directory]).catch((error: { stdout: string }) => error);
  return stdout;
}

/** A copy of infra/ to plant mistakes in. */
export function copyOfInfra(): string {
  const copy = join(mkdtempSync(join(tmpdir(), 'mailgrant-')), 'infra');
  mkdirSync(copy);
  cpSync(INFRA, copy, { recursive: true, filter: (path) => !/\/(tests|\.terraform)(\/|$)/.test(path) });
  return copy;
}
