import { SecretString } from '../../mail/model/secret.ts';

/** A password set-up as an app has it. */
export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** `tls`: TLS from the first byte; `starttls`: upgraded; `none`: in the clear. */
  readonly tls: 'tls' | 'starttls' | 'none';
  readonly user: string;
  readonly password: SecretString;
}

/** What was found in some source; `missing` names what nobody set. */
export interface FoundSettings {
  readonly settings: SmtpSettings;
  readonly missing: readonly string[];
  readonly problems: readonly string[];
}

type Values = Readonly<Record<string, string | undefined>>;

/** Reads Django-style `EMAIL_*` values, as environment variables hold them. */
export function fromDjango(values: Values): FoundSettings {
  const get = (name: string): string => values[name] ?? '';
  const yes = (name: string): boolean => /^(1|true|yes|on)$/i.test(get(name));
  const problems: string[] = [];
  if (yes('EMAIL_USE_TLS') && yes('EMAIL_USE_SSL'))
    problems.push('EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other: TLS is 587, SSL is 465');
  const tls = yes('EMAIL_USE_SSL') ? 'tls' : yes('EMAIL_USE_TLS') ? 'starttls' : 'none';
  const port = Number(get('EMAIL_PORT') || 25);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) problems.push('EMAIL_PORT is no port');
  const settings: SmtpSettings = {
    host: get('EMAIL_HOST') || 'localhost',
    port,
    tls,
    user: get('EMAIL_HOST_USER'),
    password: new SecretString(get('EMAIL_HOST_PASSWORD')),
  };
  return { settings, missing: ['EMAIL_HOST', 'EMAIL_HOST_USER', 'EMAIL_HOST_PASSWORD'].filter((name) => get(name) === ''), problems };
}

/** Reads a settings.py as text; nothing of it is run. A value that is computed is looked up in `env`, or else missing. */
export function fromSettingsPy(text: string, env: Values): FoundSettings {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const [, name = '', value = ''] of text.matchAll(
    /^[ \t]*(EMAIL_[A-Z_]+)[ \t]*=[ \t]*([rub]{0,2}(?:"[^"\n]*"|'[^'\n]*')|[^#\n]+?)[ \t]*(?:#.*)?$/gm,
  )) {
    const literal = /^(?:[rub]{0,2})(["'])(.*)\1$/i.exec(value)?.[2];
    const looked =
      /(?:environ(?:\.get)?|getenv|config|env(?:\.\w+)?)[([]\s*["'](\w+)["'](?:\s*,\s*(?:default\s*=\s*)?["']?([^"')]*)["']?)?/.exec(value);
    if (literal !== undefined) values[name] = literal;
    else if (looked?.[1]) values[name] = env[looked[1]] ?? looked[2] ?? '';
    else if (/^(\d+|True|False)$/.test(value)) values[name] = value;
    else problems.push(`${name} is computed; set it in the environment to have it checked`);
    if (looked?.[1] && env[looked[1]] === undefined) problems.push(`${name} reads the variable ${looked[1]}, which is not set here`);
  }
  const found = fromDjango(values);
  return { ...found, problems: [...problems, ...found.problems] };
}

/** Reads `smtp://user:password@host:port` or `smtps://…`; what is percent-encoded is decoded. */
export function fromUrl(text: string): FoundSettings {
  const problems: string[] = [];
  const match = /^(smtps?|submission):\/\/(?:(.*)@)?([^@/?#]*)/i.exec(text.trim());
  const [, scheme = '', login = '', place = ''] = match ?? [];
  if (!match) problems.push('expected smtp://user:password@host:port or smtps://…');
  const at = login.indexOf(':');
  const [user, password] = at < 0 ? [login, ''] : [login.slice(0, at), login.slice(at + 1)];
  if (/[@/#? ]/.test(user) || /[@/#? ]/.test(password))
    problems.push('the user or password holds characters that must be percent-encoded in a URL (@ is %40, # is %23, / is %2F)');
  const secure = /^smtps$/i.test(scheme);
  const [host = '', port = ''] = place.split(':');
  const settings: SmtpSettings = {
    host: host || 'localhost',
    port: Number(port || (secure ? 465 : 587)),
    tls: secure ? 'tls' : 'starttls',
    user: decode(user),
    password: new SecretString(decode(password)),
  };
  return { settings, missing: [...(host ? [] : ['host']), ...(user ? [] : ['user']), ...(password ? [] : ['password'])], problems };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
