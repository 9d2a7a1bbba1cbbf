/** Styles in which settings.py files are written, each with the finding that a person should see first. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { CheckFinding } from '../../../functions/cli/doctor/check.ts';
import { settingsFindings } from '../../../functions/cli/doctor/check-smtp.ts';
import { fromSettingsPy } from '../../../functions/cli/settings/python-settings.ts';
import { sampled } from '../../support/deep.ts';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { ALL, GOOD, MORE_STYLES, rest, type Style } from './more-styles.ts';

const STYLES: readonly Style[] = [
  { name: 'plain literals', files: rest(), first: 'ok', is: ALL },
  { name: 'single quotes, comments and a semicolon', files: rest().replaceAll('"', "'").replace('587', '587; X = 1  # the port'), first: 'ok', is: ALL },
  { name: 'annotated assignments', files: rest().replace(/ = /g, ': Any = '), first: 'ok', is: ALL },
  { name: 'parentheses over several lines', files: rest(`(\n    "abcdefgh"\n    "ijklmnop"\n)`), first: 'ok', is: ALL },
  { name: 'an f-string', files: `DOMAIN = "example.com"\n${rest().replace('"me@example.com"', 'f"me@{DOMAIN}"')}`, first: 'ok', is: ALL },
  { name: 'os.environ', files: `import os\n${rest('os.environ["MAIL_PASSWORD"]')}`, env: { MAIL_PASSWORD: GOOD }, first: 'ok', is: ALL },
  { name: 'os.environ that is not set', files: `import os\n${rest('os.environ["MAIL_PASSWORD"]')}`, first: 'credentials-not-loaded' },
  { name: 'os.getenv with a default', files: `import os\n${rest().replace('"smtp.gmail.com"', 'os.getenv("MAIL_HOST", "smtp.gmail.com")')}`, first: 'ok', is: ALL },
  { name: 'int() of a variable', files: `import os\n${rest().replace('587', 'int(os.environ.get("MAIL_PORT", "587"))')}`, first: 'ok', is: ALL },
  {
    name: 'decouple with default and cast',
    files: `from decouple import config\n${rest().replace('587', 'config("EMAIL_PORT", default=587, cast=int)').replace('True', 'config("EMAIL_USE_TLS", default=True, cast=bool)')}`,
    first: 'ok',
    is: ALL,
  },
  { name: 'decouple, "False" of the environment', files: `from decouple import config\n${rest().replace('True', 'config("TLS", cast=bool)')}`, env: { TLS: 'False' }, first: 'starttls-missing' },
  { name: 'django-environ', files: `import environ\nenv = environ.Env()\n${rest('env("MAIL_PASSWORD", default="")')}`, first: 'credentials-not-loaded' },
  {
    name: 'environ.Env().email_url',
    files: 'import environ\nenv = environ.Env()\nEMAIL_CONFIG = env.email_url("EMAIL_URL", default="smtp://user@:password@localhost:25")\nvars().update(EMAIL_CONFIG)\n',
    env: { EMAIL_URL: `smtp+tls://me%40example.com:${GOOD}@smtp.gmail.com:587` },
    first: 'ok',
    is: ALL,
  },
  { name: 'a mail URL with a bare @ in the password', files: 'vars().update(env.email_url("EMAIL_URL"))\n', env: { EMAIL_URL: 'smtp+tls://me@example.com:p@ss@smtp.gmail.com:587' }, first: 'password-mangled' },
  { name: 'a dictionary and globals().update', files: `globals().update({"EMAIL_HOST": "smtp.gmail.com", "EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "EMAIL_HOST_USER": "me@example.com", "EMAIL_HOST_PASSWORD": "${GOOD}"})\n`, first: 'ok', is: ALL },
  { name: 'a dictionary by its keys', files: `MAIL = dict(host="smtp.gmail.com", password="${GOOD}")\n${rest('MAIL["password"]').replace('"smtp.gmail.com"', 'MAIL["host"]')}`, first: 'ok', is: ALL },
  { name: "Django 6.1's MAILERS", files: `MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": {"host": "smtp.gmail.com", "port": 587, "use_tls": True, "username": "me@example.com", "password": ""}}}\n`, first: 'credentials-not-loaded' },
  { name: 'split settings', files: { 'conf/settings/base.py': rest(), 'conf/settings/__init__.py': '', 'conf/settings/production.py': 'from .base import *\nDEBUG = False\n' }, read: 'conf/settings/production.py', first: 'ok', is: ALL },
  { name: 'split settings by a whole name', files: { 'shop/settings/base.py': rest('""'), 'shop/settings/live.py': 'from shop.settings.base import *  # noqa\n' }, read: 'shop/settings/live.py', first: 'credentials-not-loaded' },
  { name: 'split settings that cannot be found', files: 'from company_settings.common import *\n', first: 'unclear' },
  { name: 'a comma too many behind the host', files: rest().replace('"smtp.gmail.com"', '"smtp.gmail.com",'), first: 'bad-host-value' },
  { name: '"False" as text', files: `${rest()}EMAIL_USE_SSL = "False"\n`, first: 'wrong-port-tls-mode' },
  { name: 'TLS and SSL', files: `${rest()}EMAIL_USE_SSL = True\n`, first: 'wrong-port-tls-mode' },
  { name: '465 with TLS', files: rest().replace('587', '465'), first: 'wrong-port-tls-mode' },
  { name: 'no TLS at all', files: rest().replace('EMAIL_USE_TLS = True\n', ''), first: 'starttls-missing' },
  { name: 'the console backend', files: `EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"\n${rest()}`, first: 'backend-does-not-send' },
  { name: 'the file backend in development only', files: `DEBUG = False\nif DEBUG:\n    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"\n${rest()}`, first: 'ok', is: ALL },
  { name: 'production behind "if not DEBUG"', files: `import os\nDEBUG = os.environ.get("DEBUG") == "1"\nif not DEBUG:\n${rest().replace(/^/gm, '    ').trimEnd()}\n`, first: 'ok', is: ALL },
  { name: 'a value that is computed', files: `from vault import read\n${rest('read("mail")')}`, first: 'unclear' },
  { name: 'a branch that nobody can tell', files: `import socket\nif socket.gethostname() == "web1":\n    EMAIL_HOST = "smtp.gmail.com"\nelse:\n    EMAIL_HOST = "localhost"\n`, first: 'unclear' },
  { name: 'no EMAIL_HOST', files: 'EMAIL_USE_TLS = True\nEMAIL_HOST_USER = "me@example.com"\nEMAIL_HOST_PASSWORD = "x"\n', first: 'bad-host-value' },
  { name: 'a relay on this machine without a sign-in', files: 'EMAIL_HOST = "127.0.0.1"\nEMAIL_PORT = 2525\n', first: 'ok', is: ['127.0.0.1', 2525, 'none', ''] },
  { name: 'a host with a scheme', files: rest().replace('"smtp.gmail.com"', '"https://smtp.gmail.com"'), first: 'bad-host-value' },
  { name: 'a user that is no address', files: rest().replace('me@example.com', 'me'), first: 'credentials-not-loaded' },
  { name: 'a password with a blank at its end', files: rest(`"${GOOD} "`), first: 'password-mangled' },
  { name: 'an empty password', files: rest('""'), first: 'credentials-not-loaded' },
  { name: "someone else's backend", files: 'EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"\n', first: 'unclear' },
  { name: 'a file that is no Python', files: 'EMAIL_HOST = smtp.gmail.com:587\nEMAIL_PORT = = 587\n', first: 'bad-host-value' },
  { name: 'a class of django-configurations', files: `class Production(Base):\n${rest().replace(/^/gm, '    ').trimEnd()}\n`, first: 'ok', is: ALL },
  { name: 'variables of a .env file', files: { '.env': `MAIL_PASSWORD='${GOOD}'\n`, 'site/settings.py': `import os\n${rest('os.environ["MAIL_PASSWORD"]')}` }, read: 'site/settings.py', first: 'ok', is: ALL },
  { name: 'the settings of pydantic', files: `from pydantic_settings import BaseSettings\nclass Mail(BaseSettings):\n    host: str = "smtp.gmail.com"\nmail = Mail()\nEMAIL_HOST = mail.host\n`, first: 'unclear' },
  { name: 'a match statement', files: `import os\nmatch os.environ.get("STAGE"):\n    case "live":\n        EMAIL_HOST = "smtp.gmail.com"\n    case _:\n        EMAIL_HOST = "localhost"\n`, first: 'unclear' },
  { name: 'a conditional expression on DEBUG', files: `DEBUG = False\n${rest().replace('"smtp.gmail.com"', '"localhost" if DEBUG else "smtp.gmail.com"')}`, first: 'ok', is: ALL },
  { name: 'os.environ with or', files: `import os\n${rest().replace('"smtp.gmail.com"', 'os.environ.get("MAIL_HOST") or "smtp.gmail.com"')}`, first: 'ok', is: ALL },
  { name: 'several targets on one line', files: `EMAIL_HOST, EMAIL_PORT = "smtp.gmail.com", 587\n${rest().split('\n').slice(2).join('\n')}`, first: 'ok', is: ALL },
  { name: 'the % operator', files: rest().replace('"me@example.com"', '"%s@%s" % ("me", "example.com")'), first: 'ok', is: ALL },
  { name: 'str.format', files: rest().replace('"me@example.com"', '"{}@{}".format("me", "example.com")'), first: 'ok', is: ALL },
  { name: 'join of a list', files: rest(`"".join(["abcdefgh", "ijklmnop"])`), first: 'ok', is: ALL },
  { name: 'replace of the blanks in an app password', files: rest('"abcd efgh ijkl mnop".replace(" ", "")'), first: 'ok', is: ALL },
  { name: 'a function that reads the environment', files: `import os\ndef get(name, default=None):\n    return os.environ.get(name, default)\n${rest('get("MAIL_PASSWORD")')}`, env: { MAIL_PASSWORD: GOOD }, first: 'unclear' },
  { name: 'from os import environ', files: `from os import environ\n${rest('environ["MAIL_PASSWORD"]')}`, env: { MAIL_PASSWORD: GOOD }, first: 'ok', is: ALL },
  { name: 'from os import getenv as read', files: `from os import getenv as read\n${rest('read("MAIL_PASSWORD")')}`, env: { MAIL_PASSWORD: GOOD }, first: 'ok', is: ALL },
  { name: 'import environ under another name', files: `import environ\ne = environ.Env(EMAIL_PORT=(int, 587))\n${rest('e("MAIL_PASSWORD")').replace('587', 'e("EMAIL_PORT")')}`, env: { MAIL_PASSWORD: GOOD }, first: 'ok', is: ALL },
  { name: 'defaults in Env(…)', files: `import environ\nenv = environ.Env(EMAIL_PORT=(int, 587), EMAIL_USE_TLS=(bool, True))\n${rest().replace('587', 'env("EMAIL_PORT")').replace('= True', '= env("EMAIL_USE_TLS")')}`, first: 'ok', is: ALL },
  { name: 'a password of a Docker secret', files: `from pathlib import Path\n${rest('Path("/run/secrets/mail").read_text().strip()')}`, first: 'unclear' },
  { name: 'try and except around an import', files: `try:\n    from .local import *\nexcept ImportError:\n    pass\n${rest()}`, first: 'ok', is: ALL },
  { name: 'a byte order mark and CRLF', files: `\uFEFF${rest().replaceAll('\n', '\r\n')}`, first: 'ok', is: ALL },
  { name: 'the port as text', files: rest().replace('587', '"587"'), first: 'ok', is: ALL },
  { name: 'a walrus and a chain of targets', files: `HOST = EMAIL_HOST = "smtp.gmail.com"\n${rest().split('\n').slice(1).join('\n')}`, first: 'ok', is: ALL },
  { name: 'os.environ.setdefault before it is read', files: `import os\nos.environ.setdefault("MAIL_HOST", "smtp.gmail.com")\n${rest().replace('"smtp.gmail.com"', 'os.environ["MAIL_HOST"]')}`, first: 'ok', is: ALL },
  { name: 'a backend in dictionary form that is not sent', files: `EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"\n${rest()}`, first: 'backend-does-not-send' },
]; // biome-ignore format: one style a line

const skip = skipUnless(onPath('python3'), 'python3');
const firstOf = ([found]: readonly CheckFinding[]): string =>
  found?.ok === true ? 'ok' : found?.ok === false ? String(found.cause) : 'unclear';

for (const { name, files, read = 'settings.py', env = {}, first, is } of sampled([...STYLES, ...MORE_STYLES], 20))
  test(`settings.py: ${name}: ${first}`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
    for (const [path, text] of Object.entries(typeof files === 'string' ? { 'settings.py': files } : files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const found = fromSettingsPy(join(folder, read), env);
    const findings = settingsFindings(found);
    assert.equal(firstOf(findings), first, JSON.stringify(findings));
    if (first === 'unclear' || first === 'ok')
      assert.deepEqual(
        findings.filter(({ ok }) => ok === false),
        [],
      );
    const { host, port, tls, user, password } = found.settings;
    if (is) assert.deepEqual([host, port, tls, user], is);
    if (is && user !== '') assert.equal(password.reveal(), GOOD);
    assert.ok(!JSON.stringify(findings).includes(GOOD));
  });

test('nothing of the file is run', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const mark = join(folder, 'ran');
  writeFileSync(join(folder, 'settings.py'), `open(${JSON.stringify(mark)}, "w")\n${rest()}`);
  assert.equal(settingsFindings(fromSettingsPy(join(folder, 'settings.py'), {}))[0]?.ok, true);
  assert.throws(() => fromSettingsPy(mark, {}), /is not there/);
});
