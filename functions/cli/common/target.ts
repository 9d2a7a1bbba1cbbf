import { existsSync, readFileSync } from 'node:fs';
import { SecretString } from '../../mail/model/secret.ts';
import { CommandError } from './refusal.ts';

const LAPTOP_URL = 'http://127.0.0.1:8080';
const LAPTOP_KEY = '.mailgrant/api-key';
const LAPTOP_API = '.mailgrant/api-url'; // written by `dev`, which takes another port if 8080 is in use

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The function's base URL: as given, or MAILGRANT_URL, or the one of the last `npx mailgrant dev`. A key must not be sent without
 * TLS.
 */
export function targetUrl(given: string | undefined, env: Env): string {
  const laptop = existsSync(LAPTOP_API) ? readFileSync(LAPTOP_API, 'utf8').trim() : LAPTOP_URL;
  const url = (given ?? env['MAILGRANT_URL'] ?? laptop).replace(/\/+$/, '');
  if (URL.canParse(url) && (url.startsWith('https://') || isLaptop(url))) return new URL(url).href.replace(/\/+$/, ''); // the host in the form in which it is sent
  throw new CommandError('option_invalid', '--url: expected the https URL of the function api (http on the loopback interface only)');
}

/**
 * The caller's key: from the file, or MAILGRANT_KEY, or the local stack's own for a function on this machine. Never an argument.
 * Null where there is no key and none is needed, because the caller's identity can be used.
 */
export function targetKey(file: string | undefined, url: string, env: Env, needless: boolean): SecretString | null {
  const read = (path: string): string => readFileSync(path, 'utf8').trim();
  const key =
    file === undefined
      ? env['MAILGRANT_KEY']?.trim() || (isLaptop(url) && !needless && existsSync(LAPTOP_KEY) ? read(LAPTOP_KEY) : '')
      : read(file);
  if (/^\S+$/.test(key)) return new SecretString(key);
  if (needless && key === '') return null;
  throw new CommandError('key_missing', 'there is no API key');
}

const isLaptop = (url: string): boolean => /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(\/|$)/.test(url);
