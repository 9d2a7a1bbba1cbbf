import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../config/load-config.ts';
import { CONFIG, type Command } from '../common/command.ts';
import { deployedEnv, operatorFor } from '../common/operator.ts';
import { processTerminal } from '../common/terminal.ts';
import { archive } from './archive.ts';
import { buildFunctions, DEPLOYABLES } from './build.ts';
import { type CheckResult, type Deployed, deploy } from './deploy.ts';
import { programs } from './program.ts';
import { smoke, smokeText } from './smoke-command.ts';
import { readTfvars } from './tfvars.ts';

const PROJECT = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const TFVARS = 'infra/terraform.tfvars';
const SMOKE_MS = 180_000; // the worker's first start is among it

/** `deploy`: what the pipeline does, from a laptop with gcloud's credentials. */
export const DEPLOY: Command = {
  summary: 'deploy to a project: check, build, plan, ask, apply that plan, send a mail',
  help: `  --project ID         project to deploy to (GOOGLE_CLOUD_PROJECT)
  --region NAME        region, where terraform.tfvars does not say it (europe-west1)
  --prefix NAME        first part of every name, where terraform.tfvars does not say it (mailgrant)
  --state-bucket NAME  bucket of Terraform's state (ID-mailgrant-state)
  --mailbox ADDRESS    mailbox of the mail at the end (the first of the config)
  --config FILE        (${CONFIG})
  --yes                apply without asking
  --dry-run            run the checks, show the commands, change nothing
  --json
Variables of infra/ go into infra/terraform.tfvars. What the programs print comes on standard error.`,
  options: {
    project: { type: 'string' },
    region: { type: 'string' },
    prefix: { type: 'string' },
    'state-bucket': { type: 'string' },
    mailbox: { type: 'string' },
    yes: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  },
  async run(options) {
    const given = (name: string): string | undefined => options[name] as string | undefined;
    const project = given('project') ?? process.env['GOOGLE_CLOUD_PROJECT'] ?? '';
    if (!PROJECT.test(project)) throw new Error('--project: expected the ID of a project, such as acme-mail-prod');
    const configFile = given('config') ?? CONFIG;
    const config = loadConfig(configFile);
    const mailbox = given('mailbox')?.toLowerCase() ?? config.mailboxes[0]?.address ?? '';
    if (!config.mailboxes.some(({ address }) => address === mailbox)) throw new Error(`--mailbox: ${mailbox} is not in ${configFile}`);
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
          confirm: async (question) =>
            options['yes'] === true || /^y(es)?$/i.test((await terminal.ask(question, new AbortController().signal))?.trim() ?? ''),
          smoke: ({ topic, database }) => {
            const env = deployedEnv(process.env, project, target.prefix ?? said.prefix);
            const made = { ...(topic !== null && { MAILGRANT_TOPIC: topic }), ...(database !== null && { MAILGRANT_DATABASE: database }) };
            return smoke(operatorFor(configFile, project, { ...env, ...made }), mailbox, SMOKE_MS);
          },
        },
        options['dry-run'] === true,
      );
      return { data, text: deployedText(data, options['dry-run'] === true), exitCode: data.ok ? 0 : 1 };
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
