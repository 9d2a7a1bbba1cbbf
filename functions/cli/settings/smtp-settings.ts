import { SecretString } from '../../mail/model/secret.ts';

/** An app's password set-up. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `tls`: TLS from the first byte; `starttls`: upgraded; `none`: in the clear. */
  readonly tls: 'tls' | 'starttls' | 'none';
  readonly user: string;
  readonly password: SecretString;
}

/** What is wrong (`ok: false`) or unclear (`ok: null`) in the settings, before any server is asked. */
export interface SettingsProblem {
  readonly ok: false | null;
  /** A cause of the catalogue; null where nothing is wrong. */
  readonly cause: string | null;
  readonly detail: string;
  readonly fix: string;
}

export interface FoundSettings {
  readonly settings: SmtpSettings;
  /** Names of required settings that have no value. */
  readonly missing: readonly string[];
  readonly problems: readonly SettingsProblem[];
  /** False where the source does not name a server, or not readably: then nothing is probed. */
  readonly complete: boolean;
}

/** Settings by name; `undefined` where the source does not set them. */
export type Values = Readonly<Record<string, string | number | boolean | null | undefined>>;

export const wrongSetting = (cause: string, detail: string, fix: string): SettingsProblem => ({ ok: false, cause, detail, fix });
export const unclearSetting = (detail: string, fix: string): SettingsProblem => ({ ok: null, cause: null, detail, fix });

const GOOGLE = /(^|\.)(gmail|google|googlemail)\.com$/i;

/** Reads Django's `EMAIL_*` values; texts come from the environment, so "False" is false unless `python` says otherwise. */
export function fromDjango(values: Values, { python = false } = {}): FoundSettings {
  const problems: SettingsProblem[] = [];
  const text = (name: string): string => String(values[name] ?? '');
  const yes = (name: string): boolean => {
    const value = values[name];
    if (typeof value !== 'string') return value === true || (typeof value === 'number' && value !== 0);
    if (!python) return /^(1|true|yes|on)$/i.test(value);
    if (/^(0|false|no|off)$/i.test(value.trim()))
      problems.push(
        wrongSetting(
          'wrong-port-tls-mode',
          `${name} is the text "${value}", and Python takes every text that is not empty for true`,
          `${name} = False without quotes; from the environment: os.environ.get("${name}", "") == "True"`,
        ),
      );
    return value !== '';
  };
  const [ssl, starttls] = [yes('EMAIL_USE_SSL'), yes('EMAIL_USE_TLS')];
  if (ssl && starttls)
    problems.push(
      wrongSetting(
        'wrong-port-tls-mode',
        'EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other: TLS is 587, SSL is 465',
        'Keep EMAIL_USE_TLS = True with port 587, and remove EMAIL_USE_SSL.',
      ),
    );
  const given = text('EMAIL_PORT');
  const port = Number(given || 25);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    problems.push(wrongSetting('bad-host-value', 'EMAIL_PORT is no port', 'EMAIL_PORT = 587'));
  const host = text('EMAIL_HOST');
  const settings: SmtpSettings = {
    host: host || 'localhost',
    port,
    tls: ssl ? 'tls' : starttls ? 'starttls' : 'none',
    user: text('EMAIL_HOST_USER'),
    password: new SecretString(text('EMAIL_HOST_PASSWORD')),
  };
  const credentials = ['EMAIL_HOST_USER', 'EMAIL_HOST_PASSWORD'];
  const named = credentials.filter((name) => text(name) !== '');
  // A relay may accept emails without a sign-in; Gmail does not, and a user without a password (or the reverse) is never used.
  const wanted = GOOGLE.test(host) || named.length > 0 || !python ? credentials : [];
  const missing = [...(host === '' ? ['EMAIL_HOST'] : []), ...wanted.filter((name) => text(name) === '')];
  return { settings, missing, problems, complete: host !== '' && Number.isInteger(port) };
}

const SCHEMES: Readonly<Record<string, readonly [tls: SmtpSettings['tls'], port: number]>> = {
  smtp: ['starttls', 587],
  'smtp+tls': ['starttls', 587],
  submission: ['starttls', 587],
  smtps: ['tls', 465],
  'smtp+ssl': ['tls', 465],
  'smtps+tls': ['tls', 465],
  'gmail+smtp': ['tls', 465],
  'gmail+smtps': ['tls', 465],
  gmail: ['tls', 465],
};

/**
 * Reads an email URL: `smtp://user:password@host:port`, `smtps://…`, django-environ's `smtp+tls://` and `smtp+ssl://`, Symfony's
 * `gmail+smtp://user:password@default`. Percent-encoding is decoded.
 */
export function fromUrl(text: string): FoundSettings {
  const problems: SettingsProblem[] = [];
  const [, scheme = '', rest = ''] = /^([a-z][a-z+]*):\/\/(.*)$/is.exec(text.trim()) ?? [];
  const known = SCHEMES[scheme.toLowerCase()];
  if (!known)
    problems.push(
      wrongSetting('bad-host-value', 'this is no email URL', 'Write smtp://user:password@smtp.gmail.com:587, or smtps://… with port 465.'),
    );
  const [tls, usual] = known ?? ['starttls', 587];
  // The text before the last @ is the account, because a password may contain @.
  const at = rest.lastIndexOf('@');
  const login = at < 0 ? '' : rest.slice(0, at);
  const [place = ''] = rest.slice(at + 1).split(/[/?#]/);
  const colon = login.indexOf(':');
  const [user, password] = colon < 0 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  if (/[/#? ]|@/.test(password))
    problems.push(
      wrongSetting(
        'password-mangled',
        'the password holds characters that must be percent-encoded in a URL',
        'Encode them: @ is %40, : is %3A, # is %23, / is %2F, ? is %3F.',
      ),
    );
  else if (user.includes('@'))
    problems.push(unclearSetting('the user holds a bare @; some libraries cut the URL there', 'Write %40 for the @ in the user.'));
  const [name = '', port = ''] = place.split(':');
  const host = scheme.toLowerCase().startsWith('gmail') && (name === 'default' || name === '') ? 'smtp.gmail.com' : name;
  const settings: SmtpSettings = {
    host: host || 'localhost',
    port: Number(port || usual),
    tls,
    user: decode(user),
    password: new SecretString(decode(password)),
  };
  const wanted = !known || GOOGLE.test(host) || user !== '' || password !== ''; // a relay may take emails without a sign-in
  const missing = [...(host ? [] : ['host']), ...(user || !wanted ? [] : ['user']), ...(password || !wanted ? [] : ['password'])];
  return { settings, missing, problems, complete: known !== undefined && host !== '' };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
