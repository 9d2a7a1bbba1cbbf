import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../config/load-config.ts';
import type { Leaf } from '../common/command.ts';
import { deployedEnv, operatorFor } from '../common/operator.ts';
import { configFile as configOf } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { agrees, processTerminal } from '../common/terminal.ts';
import { archive } from './archive.ts';
import { buildFunctions, DEPLOYABLES } from './build.ts';
import { type CheckResult, type Deployed, deploy } from './deploy.ts';
import { programs } from './program.ts';
import { smoke, smokeText } from './smoke-command.ts';
import { readTfvars } from './tfvars.ts';

const PROJECT_ID = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const TFVARS = 'infra/terraform.tfvars';
const SMOKE_MS = 180_000; // the worker's first start is among it

/** `deploy`: what the pipeline does, from a laptop with gcloud's credentials. */
export const DEPLOY: Leaf = {
  summary: 'deploy to a project: check, build, plan, ask, apply that plan, send an email',
  options: {
    project: { value: 'ID', about: 'project to deploy to (GOOGLE_CLOUD_PROJECT)' },
    region: { value: 'NAME', about: 'region, where terraform.tfvars does not say it (europe-west1)' },
    prefix: { value: 'NAME', about: 'first part of every name, where terraform.tfvars does not say it (mailgrant)' },
    'state-bucket': { value: 'NAME', about: "bucket of Terraform's state (ID-mailgrant-state)" },
    mailbox: { value: 'ADDRESS', about: 'mailbox of the email at the end (the first of the config)' },
    yes: { about: 'apply without asking' },
    'dry-run': { about: 'run the checks, show the commands, change nothing' },
  },
  examples: ['deploy --project your-project --dry-run', 'deploy --project your-project'],
  notes: 'Variables of infra/ go into infra/terraform.tfvars. What the programs print comes on standard error.',
  async run(options) {
    const given = (name: string): string | undefined => options[name] as string | undefined;
    const project = given('project') ?? process.env['GOOGLE_CLOUD_PROJECT'] ?? '';
    if (!PROJECT_ID.test(project))
      throw new CommandError('option_invalid', '--project: expected the ID of a project, such as acme-mail-prod');
    const configFile = configOf(options);
    const config = loadConfig(configFile);
    const mailbox = given('mailbox')?.toLowerCase() ?? config.mailboxes[0]?.address ?? '';
    if (!config.mailboxes.some(({ address }) => address === mailbox))
      throw new CommandError('mailbox_unknown', `--mailbox: ${mailbox} is not in ${configFile}`);
    const terminal = processTerminal(process.env);
    const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
    const said = existsSync(TFVARS) ? readTfvars(readFileSync(TFVARS, 'utf8')) : {};
    const target = {
      project,
      region: given('region'),
      prefix: given('prefix'),
      said,
      configFile: options['config'] === undefined ? undefined : resolve(configFile),
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
            await buildFunctions(configFile, 'dist');
            return DEPLOYABLES.map((name) => archive('dist', name));
          },
          say: terminal.say,
          confirm: async (question) => options['yes'] === true || (await agrees(question, terminal)),
          smoke: ({ topic, database }) => {
            const env = deployedEnv(process.env, project, target.prefix ?? said.prefix);
            const made = { ...(topic !== null && { MAILGRANT_TOPIC: topic }), ...(database !== null && { MAILGRANT_DATABASE: database }) };
            return smoke(operatorFor(configFile, project, { ...env, ...made }), mailbox, SMOKE_MS);
          },
        },
        options['dry-run'] === true,
      );
      const text = deployedText(data, options['dry-run'] === true);
      if (!data.stopped) return { data, text };
      const { at, fix } = data.stopped;
      return { data, text, exitCode: 1, error: { code: data.smoke?.code ?? 'deploy_stopped', message: `stopped at ${at}`, fix } };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

function deployedText({ checks, commands, applied, urls, smoke, next, stopped, ok }: Deployed, dryRun: boolean): string {
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
    ].join('\n');
  return [
    applied ? 'Deployed.' : 'Nothing had to be changed.',
    ...Object.entries(urls).map(([name, url]) => `  ${name.padEnd(7)} ${url}`),
    ...(smoke?.code === 'grant_missing' ? ['No mailbox can send yet.'] : smoke ? [smokeText(smoke)] : []),
    ...(next.length > 0 ? ['Next:', ...next.map((one) => `  ${one}`)] : []),
  ].join('\n');
}
