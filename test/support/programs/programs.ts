import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a program is told to answer: to the first row whose text its arguments begin with. */
export interface Answer {
  readonly to: string;
  readonly status?: number;
  readonly stdout?: string;
  /** Answers the first calls only, as many as these; later ones are answered by a row below. */
  readonly times?: number;
}

/** A folder of programs that note how they were called, and answer as they are told; nothing else is on that PATH. */
export interface Programs {
  readonly path: string;
  /** Every call so far, program and arguments in one line. */
  calls(): string[];
}

/** Lays them out; the last row of a program's answers is `''`, so that everything succeeds unless told otherwise. */
export function layOut(folder: string, answers: Readonly<Record<string, readonly Answer[]>>): Programs {
  const path = join(folder, 'bin');
  const log = join(folder, 'calls');
  mkdirSync(path, { recursive: true });
  writeFileSync(log, '');
  for (const [name, rows] of Object.entries(answers)) {
    const answers = [...rows, { to: '' }].map(({ to, status = 0, stdout = '', times }: Answer, index) => {
      const count = quoted(join(folder, `${name}-${index}`));
      const left =
        times === undefined ? '' : `n=$(cat ${count} 2>/dev/null || echo 0); if [ "$n" -lt ${times} ]; then echo $((n + 1)) >${count}; `;
      const answer = `${left}printf '%s' ${quoted(stdout)}; exit ${status}${times === undefined ? '' : '; fi'}`;
      return `case "$*" in ${quoted(to)}*) ${answer} ;; esac`;
    });
    const file = join(path, name);
    writeFileSync(file, `#!/bin/bash\nPATH=/usr/bin:/bin\nprintf '%s\\n' ${quoted(name)}" $*" >>${quoted(log)}\n${answers.join('\n')}\n`);
    chmodSync(file, 0o755);
  }
  return { path, calls: () => readFileSync(log, 'utf8').split('\n').slice(0, -1) };
}

/** What gcloud and terraform answer where all is well: a project that is new, and a plan with changes. */
export const WELL: Readonly<Record<string, readonly Answer[]>> = {
  gcloud: [
    { to: 'auth list', stdout: 'me@example.com\n' },
    { to: 'auth application-default', stdout: 'ya29.canary-token' },
    { to: 'projects describe', stdout: 'ACTIVE\n' },
    { to: 'billing projects describe', stdout: 'True\n' },
    { to: 'storage buckets describe', status: 1 },
  ],
  terraform: [
    { to: 'version', stdout: '{\n  "terraform_version": "1.11.4"\n}' },
    { to: '-chdir=infra plan', status: 2 },
    {
      to: '-chdir=infra show',
      stdout: JSON.stringify({
        resource_changes: [
          { address: 'a.new', change: { actions: ['create'] } },
          { address: 'a.changed', change: { actions: ['update'] } },
          { address: 'a.replaced', change: { actions: ['delete', 'create'] } },
          { address: 'a.same', change: { actions: ['no-op'] } },
        ],
      }),
    },
    {
      to: '-chdir=infra output',
      stdout: JSON.stringify({ urls: { value: { api: 'https://api.example' } }, next_steps: { value: ['authorize it'] } }),
    },
  ],
};

/** Programs that answer well, but for these rows. */
export const laid = (folder: string, change: Readonly<Record<string, readonly Answer[]>> = {}): Programs =>
  layOut(folder, Object.fromEntries(Object.entries(WELL).map(([name, rows]) => [name, [...(change[name] ?? []), ...rows]])));

/** How the calls of a deployment begin: those that look, and those that come before the question. */
export const CHECKS = [
  'gcloud version',
  'gcloud auth list',
  'gcloud auth application-default',
  'gcloud projects describe',
  'gcloud billing projects',
  'terraform version',
];
export const ACTS = [
  'gcloud services enable',
  'gcloud beta services identity create --service=pubsub.googleapis.com',
  'gcloud storage buckets describe',
  'gcloud storage buckets create',
  'gcloud storage buckets update',
  'terraform -chdir=infra init',
  'terraform -chdir=infra plan',
  'terraform -chdir=infra show',
];

/** True if there are just these calls, in this order. */
export const beginnings = (calls: readonly string[], wanted: readonly string[]): boolean =>
  calls.length === wanted.length && wanted.every((one, index) => calls[index]?.startsWith(one));

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
