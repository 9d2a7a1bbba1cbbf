import { loadConfig } from '../../config/load-config.ts';
import { createIdentity } from '../../google/auth/service-identity.ts';
import type { TokenSource } from '../../google/http/google-client.ts';
import type { Config } from '../../mail/model/config.ts';
import { checkSettings, type Settings } from '../../runtime/settings.ts';
import { ownTokens } from './own-login.ts';
import { CommandError } from './refusal.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * What a command works with: the settings that a function would have, read from the configuration file, and the operator's
 * identity.
 */
export interface Operator {
  readonly settings: Settings;
  readonly identity: TokenSource;
}

/**
 * The default name of the ledger's database in infra/. A function gets the name in its environment; an operator who follows an
 * alert gives only --project.
 */
const DEPLOYED_DATABASE = 'mailgrant';

/**
 * The operator's set-up: configuration from `file`, project from `--project` or the environment. The identity is that of
 * Application Default Credentials (a login, impersonation, or a service account); with a fake Google it comes from the fake's
 * metadata server.
 */
export function operatorFor(file: string, project: string | undefined, env: Env): Operator {
  const named = project ?? env['GOOGLE_CLOUD_PROJECT'];
  if (!named) throw new CommandError('project_missing', 'no project is named');
  return operator(named, loadConfig(file), env);
}

const NO_CONFIG: Config = { mailboxes: [], keys: [], ledger: { addresses: 'hashed' } };

/** The same while no project is named, and without a config where `file` is null: for what needs neither. */
export const operatorWithoutProject = (file: string | null, env: Env): Operator =>
  operator('unnamed', file === null ? NO_CONFIG : loadConfig(file), env);

function operator(project: string, config: Config, env: Env): Operator {
  const faked = env['MAILGRANT_GOOGLE_URL'];
  const local = faked || env['MAILGRANT_FIRESTORE_URL'];
  const settings = checkSettings(
    {
      ...env,
      GOOGLE_CLOUD_PROJECT: project,
      MAILGRANT_DATABASE: env['MAILGRANT_DATABASE'] || (local ? '' : DEPLOYED_DATABASE),
    },
    config,
  );
  return { settings, identity: faked ? createIdentity(settings.urls.metadata) : ownTokens(project) };
}

/** The environment, with the default names of infra/ or of `npm start`: the topic of emails. */
export function deployedEnv(env: Env, project: string | undefined, prefix = 'mailgrant'): Env {
  const id = project ?? env['GOOGLE_CLOUD_PROJECT'] ?? '';
  const usual = `projects/${id}/topics/${env['MAILGRANT_GOOGLE_URL'] ? 'mails' : `${prefix}-mails`}`;
  return { ...env, GOOGLE_CLOUD_PROJECT: id, MAILGRANT_TOPIC: env['MAILGRANT_TOPIC'] || usual };
}
