import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../config/load-config.ts';
import { archive } from '../build/archive.ts';
import { buildFunctions, DEPLOYABLES, WHOLE_CONFIG } from '../build/build.ts';
import type { Leaf } from '../common/command.ts';
import { deployedEnv, operatorFor } from '../common/operator.ts';
import { configFile as configOf } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { agrees, processTerminal, showStep } from '../common/terminal.ts';
import { seeToCallers } from './callers.ts';
import { type Deployed, deploy } from './deploy.ts';
import { type FirstCall, firstCall } from './first-call.ts';
import { programs } from './program.ts';
import type { CheckResult } from './run-check.ts';
import { smoke, smokeText } from './smoke-command.ts';
import { bothTfvars, readTfvars, type Tfvars } from './tfvars.ts';

const PROJECT_ID = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const ENVIRONMENT = /^[a-z][a-z0-9-]*$/;
const TFVARS = 'infra/terraform.tfvars';
const IMPORTS = 'infra/mailgrant-imports.tf';
const SMOKE_MS = 180_000; // includes the worker's first start

/** `deploy`: the same steps as the pipeline, from a laptop with gcloud's credentials. */
export const DEPLOY: Leaf = {
  summary: 'deploy to a project: check, build, plan, ask, apply that plan, send an email',
  options: {
    project: { value: 'ID', about: 'project to deploy to (project_id of the variables, GOOGLE_CLOUD_PROJECT)' },
    env: { value: 'NAME', about: 'environment: config/NAME.yaml with infra/env/NAME.tfvars, and a state of its own' },
    key: { value: 'NAME', about: 'make an API key for the app of that name, and show it with a first request' },
    access: { value: 'LEVEL', about: 'who reaches api: public, iam or private; written into the variables' },
    caller: { value: 'MEMBER', about: 'an IAM member that may call api, such as serviceAccount:web@…', many: true },
    region: { value: 'NAME', about: 'region, where the variables do not say it (europe-west1)' },
    prefix: { value: 'NAME', about: 'first part of every name, where the variables do not say it (mailgrant)' },
    'state-bucket': { value: 'NAME', about: "bucket of Terraform's state (ID-mailgrant-state)" },
    mailbox: { value: 'ADDRESS', about: 'mailbox of the email at the end, and of a new key (the first of the config)' },
    yes: { about: 'apply without asking; nothing else is asked either' },
    'dry-run': { about: 'run the checks, show the commands, change nothing' },
  },
  examples: ['deploy --project your-project --dry-run', 'deploy --project your-project --key shop --access public', 'deploy --env staging'],
  notes: 'Variables of infra/ go into infra/terraform.tfvars. What the programs print comes on standard error.',
  async run(options) {
    const given = (name: string): string | undefined => options[name] as string | undefined;
    const env = given('env');
    if (env !== undefined && !ENVIRONMENT.test(env))
      throw new CommandError('option_invalid', '--env: expected the name of an environment, such as staging');
    const tfvars = env === undefined ? TFVARS : `infra/env/${env}.tfvars`;
    const said = bothTfvars(variablesIn(TFVARS), env === undefined ? { names: [] } : variablesIn(tfvars, true));
    const project = given('project') ?? said.project ?? process.env['GOOGLE_CLOUD_PROJECT'] ?? '';
    if (!PROJECT_ID.test(project))
      throw new CommandError('option_invalid', '--project: expected the ID of a project, such as acme-mail-prod');
    const configFile = configOf(options);
    const config = loadConfig(configFile);
    const mailbox = given('mailbox')?.toLowerCase() ?? config.mailboxes[0]?.address ?? '';
    if (!config.mailboxes.some(({ address }) => address === mailbox))
      throw new CommandError('mailbox_unknown', `--mailbox: ${mailbox} is not in ${configFile}`);
    const terminal = processTerminal(process.env);
    const dryRun = options['dry-run'] === true;
    const sure = options['yes'] === true;
    const wanted = {
      key: given('key'),
      access: given('access'),
      callers: ((options['caller'] ?? []) as readonly string[]).flatMap((one) => one.split(',')).filter(Boolean),
      from: mailbox,
      ask: terminal.interactive && !sure,
    };
    const key = dryRun ? null : await seeToCallers(wanted, config, { config: configFile, tfvars }, terminal);
    const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
    const target = {
      project,
      region: given('region'),
      prefix: given('prefix'),
      said,
      env,
      configFile: env !== undefined ? resolve(WHOLE_CONFIG) : options['config'] === undefined ? undefined : resolve(configFile),
      bucket: given('state-bucket') ?? `${project}-mailgrant-state`,
      planFile: join(folder, 'plan'),
      documents: config.documents !== undefined,
    };
    try {
      const data = await deploy(
        target,
        {
          programs,
          async build() {
            showStep('Build the functions', options);
            await buildFunctions(configFile, 'dist');
            return DEPLOYABLES.map((name) => archive('dist', name));
          },
          say: terminal.say,
          confirm: async (question) => {
            if (sure) terminal.say(question);
            return sure || (await agrees(question, terminal));
          },
          wait: (ms) => sleep(ms),
          writeImports: (blocks) => (blocks === '' ? rmSync(IMPORTS, { force: true }) : writeFileSync(IMPORTS, blocks)),
          waiting: async () => {
            const operator = operatorFor(configFile, project, deployedEnv(process.env, project, target.prefix ?? said.prefix));
            const { warnOfRefused } = await import('../ledger/refused-by-config.ts');
            return (await warnOfRefused(operator, operator.settings.config)).warnings;
          },
          smoke: ({ topic, database }) => {
            const own = deployedEnv(process.env, project, target.prefix ?? said.prefix);
            const made = { ...(topic !== null && { MAILGRANT_TOPIC: topic }), ...(database !== null && { MAILGRANT_DATABASE: database }) };
            return smoke(operatorFor(configFile, project, { ...own, ...made }), mailbox, SMOKE_MS);
          },
        },
        dryRun,
      );
      const access = /^access\s*=\s*\{[^}]*\bapi\s*=\s*"(public|iam)"/m.exec(textOf(tfvars) || textOf(TFVARS))?.[1] ?? 'private';
      const url = data.urls['api'];
      const call = url === undefined ? null : firstCall({ url, access: access as FirstCall['access'], key, from: mailbox });
      const text = deployedText(data, dryRun, call, key);
      const answer = { data: { ...data, ...(key !== null && { key }), ...(call && { firstCall: call }) }, text };
      if (!data.stopped) return answer;
      const { at, fix } = data.stopped;
      return { ...answer, exitCode: 1, error: { code: data.smoke?.code ?? 'deploy_stopped', message: `stopped at ${at}`, fix } };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

function variablesIn(file: string, must = false): Tfvars {
  if (must && !existsSync(file))
    throw new CommandError(
      'option_invalid',
      `--env: ${file} is missing; write what differs there, such as project_id = "acme-mail-staging"`,
    );
  return readTfvars(textOf(file));
}

function deployedText(
  { checks, commands, applied, urls, smoke, next, stopped, ok }: Deployed,
  dryRun: boolean,
  call: readonly string[] | null,
  key: string | null,
): string {
  const looked = checks.map(
    ({ name, ok, fix }: CheckResult) => `${ok ? 'ok     ' : ok === null ? 'unclear' : 'WRONG  '}  ${name}${fix ? `: ${fix}` : ''}`,
  );
  if (dryRun && ok)
    return [...looked, '', 'Nothing was changed. It would build the archives and run:', ...commands.map((one) => `  ${one}`)].join('\n');
  if (stopped && !smoke)
    return [
      ...looked,
      '',
      `Stopped at ${stopped.at}.`,
      `Fix: ${stopped.fix}`,
      applied ? 'The plan was applied.' : 'No plan was applied.',
      ...(key === null ? [] : [`The key is made already, and shown this once: ${key}`]),
    ].join('\n');
  return [
    applied ? 'Deployed.' : 'Nothing had to be changed.',
    ...Object.entries(urls).map(([name, url]) => `  ${name.padEnd(7)} ${url}`),
    ...(smoke?.code === 'grant_missing' ? ['No mailbox can send yet.'] : smoke ? [smokeText(smoke)] : []),
    ...(next.length > 0 ? ['Next:', ...next.map((one) => `  ${one}`)] : []),
    ...(call ? [smoke?.ok ? '\nA first request:' : '\nAnd then a first request:', ...call] : []),
    ...(key === null ? [] : ['\nThe key is shown this once: the config keeps its hash.']),
  ].join('\n');
}
