import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Config } from '../../mail/model/config.ts';
import { CommandError } from '../common/refusal.ts';
import type { Terminal } from '../common/terminal.ts';
import { createKey } from '../keys/key.ts';
import { withTfvar } from './tfvars.ts';

/** Who may send through a deployment, as given on the command line. */
export interface RequestedCallers {
  readonly key: string | undefined;
  readonly access: string | undefined;
  readonly callers: readonly string[];
  /** The address that a new key may send from. */
  readonly from: string;
  /** True where a person may be asked for missing values. */
  readonly ask: boolean;
}

const LEVELS = ['public', 'iam', 'private'];
const KEY_QUESTION = 'Name the app that will send, for its API key, such as shop (empty: no key now): ';
const ACCESS_QUESTION = `Who reaches api? public: the internet, and the function checks keys. iam: the internet, and Google lets in whom you name.
private: your VPC. [public/iam/private, empty: private] `;

/**
 * Makes sure that something can send when the deployment is done: creates the requested key, and writes who may call api into the
 * variables. Returns the key, which is shown once; null where none was created. Throws CommandError: option_invalid.
 */
export async function seeToCallers(
  wanted: RequestedCallers,
  config: Config,
  files: { config: string; tfvars: string },
  terminal: Terminal,
): Promise<string | null> {
  const text = existsSync(files.tfvars) ? readFileSync(files.tfvars, 'utf8') : '';
  const first = wanted.ask && config.keys.length === 0 && !/^(access|callers)\s*=/m.test(text);
  const asked = async (given: string | undefined, question: string): Promise<string> =>
    given ?? (first ? ((await terminal.ask(question, new AbortController().signal)) ?? '').trim() : '');
  const id = await asked(wanted.key, KEY_QUESTION);
  const access = await asked(wanted.access, ACCESS_QUESTION);
  if (id !== '' && !/^[a-z0-9-]{1,40}$/.test(id))
    throw new CommandError('option_invalid', '--key: expected 1 to 40 lower-case letters, digits or "-"');
  if (access !== '' && !LEVELS.includes(access)) throw new CommandError('option_invalid', '--access: expected public, iam or private');
  if (access === 'public' && id === '' && !config.keys.some(({ sha256, disabled }) => sha256 !== '' && !disabled))
    throw new CommandError('option_invalid', '--access public: there is no key, so nobody could send; name one by --key');
  let next: string | null = text;
  if (access !== '') next = withTfvar(next, 'access', `{ api = "${access}" }`);
  if (wanted.callers.length > 0 && next !== null) next = withTfvar(next, 'callers', `{ api = ${JSON.stringify(wanted.callers)} }`);
  if (next === null) throw new CommandError('option_invalid', `${files.tfvars} sets access or callers on several lines: change them there`);
  // The key is created last: a refused command leaves no key.
  const made =
    id === '' ? null : createKey(files.config, id, { from: [wanted.from], to: [], perDay: null, perMinute: null, expires: null });
  if (next !== text) writeFileSync(files.tfvars, next);
  return made?.key ?? null;
}
