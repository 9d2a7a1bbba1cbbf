import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { SETTINGS_READER } from './settings-reader.ts';
import {
  type FoundSettings,
  fromDjango,
  fromUrl,
  type SettingsProblem,
  unclearSetting,
  type Values,
  wrongSetting,
} from './smtp-settings.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Scalar = string | number | boolean | null;

/** A value as the reader prints it: see `settings-reader.ts`. */
interface Read {
  readonly v?: Scalar;
  readonly env?: string;
  readonly default?: Read | null;
  readonly cast?: string | { readonly in: readonly Scalar[]; readonly lower: boolean } | null;
  readonly lower?: boolean;
  readonly strip?: boolean;
  readonly required?: boolean;
  readonly tuple?: Read;
  readonly dict?: Readonly<Record<string, Read>>;
  readonly list?: readonly Read[];
  readonly url?: Read;
  readonly part?: string;
  readonly unknown?: string;
}

interface Document {
  readonly names: Readonly<Record<string, Read>>;
  readonly lines: Readonly<Record<string, number>>;
  readonly unread: readonly string[];
  /** Lines that may set names in a way that is not read. */
  readonly maybe: readonly number[];
  readonly error: string | null;
}

/** Backends that store or print emails and send none. */
const SILENT = /\.(console|filebased|locmem|dummy)\.EmailBackend$/;
const DJANGOS_OWN = 'django.core.mail.backends.smtp.EmailBackend';
const READ = ['EMAIL_HOST', 'EMAIL_PORT', 'EMAIL_USE_TLS', 'EMAIL_USE_SSL', 'EMAIL_HOST_USER', 'EMAIL_HOST_PASSWORD'] as const;

/**
 * Reads a Django settings file with Python's own parser; none of its code runs. Variables come from `env`, and from a `.env` file
 * beside it or in one of the three folders above. Throws where there is no python3 or no such file.
 */
export function fromSettingsPy(file: string, env: Env): FoundSettings {
  if (!existsSync(file)) throw new Error(`${file} is not there.`);
  const known = { ...dotenv(file), ...env };
  const run = spawnSync('python3', ['-I', '-c', SETTINGS_READER, resolve(file)], {
    encoding: 'utf8',
    input: JSON.stringify(known),
    maxBuffer: 16_000_000,
  });
  if (run.error) throw new Error('python3 is not on the PATH; set EMAIL_HOST and the others in the environment, or give --url.');
  if (run.status !== 0) throw new Error(`python3 could not read ${file}.`);
  return foundIn(JSON.parse(run.stdout) as Document, known);
}

/** The settings of the file with these variables. Pure. */
export function foundIn({ names, lines, unread, maybe, error }: Document, env: Env): FoundSettings {
  const problems: SettingsProblem[] = [];
  const place = (name: string): string => (lines[name] === undefined ? name : `${name} (line ${lines[name]})`);
  if (error) return nothing([wrongSetting('bad-host-value', `the file is not valid Python: ${error}`, 'Correct that line.')]);
  const backend = resolveValue(names['EMAIL_BACKEND'], env)?.value;
  if (typeof backend === 'string' && SILENT.test(backend))
    return nothing([
      wrongSetting(
        'backend-does-not-send',
        `${place('EMAIL_BACKEND')} is ${backend}: it writes emails to the console, a file or memory, and no email ever leaves`,
        `EMAIL_BACKEND = "${DJANGOS_OWN}", at least in production`,
      ),
    ]);
  if (typeof backend === 'string' && backend !== DJANGOS_OWN)
    return nothing([
      unclearSetting(`${place('EMAIL_BACKEND')} is ${backend}, which is not Django's SMTP backend`, 'These checks are for SMTP.'),
    ]);
  const url = names['EMAIL_URL_SETTINGS']?.url ?? (names['EMAIL_HOST'] ? undefined : (names['EMAIL_CONFIG']?.url ?? names['EMAIL']?.url));
  if (url) return ofUrl(resolveValue(url, env), url, problems);

  const values: Record<string, Scalar | undefined> = {};
  let readable = true;
  const mailer = mailerIn(names['MAILERS']);
  for (const name of READ) {
    const read = mailer ? mailer[name] : names[name];
    if (!read) continue;
    const { value, tuple, unset, unknown } = resolveValue(read, env) ?? {};
    if (tuple)
      problems.push(
        wrongSetting('bad-host-value', `${place(name)} ends with a comma, which makes it a tuple`, `Remove the comma behind ${name}.`),
      );
    if (unset !== undefined && value === undefined)
      problems.push(
        /USER|PASSWORD|HOST$/.test(name)
          ? wrongSetting(
              'credentials-not-loaded',
              `${place(name)} reads the variable ${unset}, which is not set here`,
              `Set ${unset} where the app runs: .env file, service unit, container, secret.`,
            )
          : unclearSetting(`${place(name)} reads the variable ${unset}, which is not set here`, `Set ${unset}.`),
      );
    if (unknown !== undefined) {
      readable = false;
      problems.push(unclearSetting(`cannot tell ${place(name)}: ${unknown}`, `Set ${name} in the environment and run without --settings.`));
    }
    values[name] = value;
  }
  for (const module of unread)
    problems.push(unclearSetting(`cannot read ${module}, which the file takes everything from`, 'Give the file that holds EMAIL_HOST.'));
  if (!names['EMAIL_HOST'] && !mailer && Object.keys(values).length === 0 && maybe.length > 0)
    problems.push(
      unclearSetting(
        `the file may set its email settings on line ${maybe[0]}, which is not run here`,
        'Set EMAIL_HOST and the others in the environment and run without --settings.',
      ),
    );
  else if (!names['EMAIL_HOST'] && !mailer && Object.keys(values).length === 0 && unread.length === 0)
    problems.push(
      wrongSetting('bad-host-value', 'the file sets no EMAIL_HOST, so Django connects to localhost', 'EMAIL_HOST = "smtp.gmail.com"'),
    );
  // A setting that cannot be determined, or was reported above with its variable, is not reported as empty.
  const told = new Set(READ.filter((name) => values[name] === undefined && (mailer ? mailer[name] : names[name])));
  const found = fromDjango(values, { python: true });
  const missing = found.missing.filter(
    (name) => !told.has(name as (typeof READ)[number]) && !(name === 'EMAIL_HOST' && problems.length > 0),
  );
  return { ...found, missing, problems: [...problems, ...found.problems], complete: found.complete && readable && told.size === 0 };
}

interface Known {
  readonly value?: Scalar;
  readonly tuple?: boolean;
  /** The variable that is not set. */
  readonly unset?: string;
  readonly unknown?: string;
}

function resolveValue(read: Read | null | undefined, env: Env): Known | undefined {
  if (!read) return undefined;
  if (read.tuple) return { ...resolveValue(read.tuple, env), tuple: true };
  if (read.unknown !== undefined) return { unknown: read.unknown };
  if (read.url && read.part !== undefined) return partOf(read.url, read.part, env);
  if (read.dict || read.url || read.list) return { unknown: 'it is not a single value' };
  if (read.env === undefined) return { value: read.v ?? null };
  const text = env[read.env];
  if (text === undefined) {
    const otherwise = resolveValue(read.default, env);
    if (otherwise) return otherwise.value === undefined ? otherwise : { ...otherwise, value: cast(otherwise.value, read) };
    // `os.environ.get(NAME) == "True"` is False where the variable is not set.
    if (typeof read.cast === 'object' && read.cast) return { value: false };
    return { unset: read.env };
  }
  return { value: cast(text, read) };
}

/** What a URL says of one setting: by Django's name, as `dj_email_url` gives it, or by that of `urlparse`. */
function partOf(url: Read, part: string, env: Env): Known {
  const known = resolveValue(url, env);
  if (typeof known?.value !== 'string') return known?.unset === undefined ? { unknown: 'it is a part of a URL that is not known' } : known;
  const { settings } = fromUrl(known.value);
  const parts: Readonly<Record<string, Scalar>> = {
    EMAIL_HOST: settings.host,
    hostname: settings.host,
    EMAIL_PORT: settings.port,
    port: settings.port,
    EMAIL_HOST_USER: settings.user,
    username: settings.user,
    EMAIL_HOST_PASSWORD: settings.password.reveal(),
    password: settings.password.reveal(),
    EMAIL_USE_TLS: settings.tls === 'starttls',
    EMAIL_USE_SSL: settings.tls === 'tls',
  };
  return Object.hasOwn(parts, part) ? { value: parts[part] ?? null } : { unknown: `it is the ${part} of a URL` };
}

/**
 * The value as the function that reads the variable converts it: decouple and environ read "False" as false, Python's `bool` does
 * not.
 */
function cast(given: Scalar, { cast: to, lower, strip }: Read): Scalar {
  const value = strip && typeof given === 'string' ? given.trim() : given;
  const text = lower && typeof value === 'string' ? value.toLowerCase() : value;
  if (to && typeof to === 'object') return to.in.includes(to.lower && typeof text === 'string' ? text.toLowerCase() : text);
  if (to === 'bool') return typeof text === 'string' ? /^(1|true|yes|on|y|t)$/i.test(text) : Boolean(text);
  if (to === 'pybool') return Boolean(text);
  if (to === 'int' || to === 'pyint') return Number(text);
  return text;
}

function ofUrl(known: Known | undefined, read: Read, problems: SettingsProblem[]): FoundSettings {
  if (typeof known?.value === 'string' && known.value !== '') return fromUrl(known.value);
  if (known?.unset ?? read.env)
    problems.push(
      wrongSetting(
        'credentials-not-loaded',
        `the email URL reads the variable ${known?.unset ?? read.env}, which is not set here`,
        'Set it.',
      ),
    );
  else problems.push(unclearSetting('cannot tell the email URL: it is computed', 'Give it with --url.'));
  return nothing(problems);
}

const nothing = (problems: readonly SettingsProblem[]): FoundSettings => ({
  ...fromDjango({}, { python: true }),
  missing: [],
  problems,
  complete: false,
});

const OPTIONS: Readonly<Record<string, string>> = {
  EMAIL_HOST: 'host',
  EMAIL_PORT: 'port',
  EMAIL_USE_TLS: 'use_tls',
  EMAIL_USE_SSL: 'use_ssl',
  EMAIL_HOST_USER: 'username',
  EMAIL_HOST_PASSWORD: 'password',
};

/** Django 6.1: `MAILERS = {"default": {"BACKEND": …, "OPTIONS": {…}}}`. */
function mailerIn(read: Read | undefined): Readonly<Record<string, Read | undefined>> | null {
  const options = read?.dict?.['default']?.dict?.['OPTIONS']?.dict;
  if (!options) return null;
  return Object.fromEntries(Object.entries(OPTIONS).map(([name, option]) => [name, options[option]]));
}

/** The variables of the nearest `.env`. */
function dotenv(file: string): Values & Env {
  let folder = dirname(resolve(file));
  for (let above = 0; above < 4; above++) {
    const path = join(folder, '.env');
    if (existsSync(path)) return parseEnv(readFileSync(path, 'utf8')) as Env & Values;
    folder = dirname(folder);
  }
  return {};
}
