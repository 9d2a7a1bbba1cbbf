/** Further styles of settings.py, by what stands between a value and its setting. */

export interface Style {
  readonly name: string;
  /** Files by their path; `settings.py` or the one named by `read` is read. */
  readonly files: string | Readonly<Record<string, string>>;
  readonly read?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Cause of the first finding; `ok` where all is well, `unclear` where it cannot be told. */
  readonly first: string;
  /** What the settings come to, where they can be told: host, port, tls, user. */
  readonly is?: readonly [string, number, string, string];
}

export const GOOD = 'abcdefghijklmnop';
export const ALL = ['smtp.gmail.com', 587, 'starttls', 'me@example.com'] as const;
export const rest = (password = `"${GOOD}"`): string =>
  `EMAIL_HOST = "smtp.gmail.com"\nEMAIL_PORT = 587\nEMAIL_USE_TLS = True\nEMAIL_HOST_USER = "me@example.com"\nEMAIL_HOST_PASSWORD = ${password}\n`;
const without = (name: string): string =>
  rest()
    .split('\n')
    .filter((line) => !line.startsWith(`${name} `))
    .join('\n');

export const MORE_STYLES: readonly Style[] = [
  { name: 'urlparse of a variable', files: `import os\nfrom urllib.parse import urlparse\nURL = urlparse(os.environ["MAIL_URL"])\nEMAIL_HOST = URL.hostname\nEMAIL_PORT = URL.port\nEMAIL_HOST_USER = URL.username\nEMAIL_HOST_PASSWORD = URL.password\nEMAIL_USE_TLS = True\n`, env: { MAIL_URL: `smtp://me:${GOOD}@smtp.gmail.com:587` }, first: 'credentials-not-loaded' },
  { name: 'dj_email_url by keys', files: `import dj_email_url\nconf = dj_email_url.config()\nEMAIL_HOST = conf["EMAIL_HOST"]\nEMAIL_PORT = conf["EMAIL_PORT"]\nEMAIL_HOST_USER = conf["EMAIL_HOST_USER"]\nEMAIL_HOST_PASSWORD = conf["EMAIL_HOST_PASSWORD"]\nEMAIL_USE_TLS = conf["EMAIL_USE_TLS"]\nEMAIL_USE_SSL = conf["EMAIL_USE_SSL"]\n`, env: { EMAIL_URL: `smtp+tls://me%40example.com:${GOOD}@smtp.gmail.com:587` }, first: 'ok', is: ALL },
  { name: 'dotenv_values', files: { '.env': `MAIL_PASSWORD=${GOOD}\n`, 'settings.py': `from dotenv import dotenv_values\nvalues = dotenv_values(".env")\n${rest('values["MAIL_PASSWORD"]')}` }, first: 'ok', is: ALL },
  { name: 'AutoConfig of decouple', files: { '.env': `MAIL_PASSWORD=${GOOD}\n`, 'settings.py': `from decouple import AutoConfig\nconfig = AutoConfig(search_path="/srv")\n${rest('config("MAIL_PASSWORD")')}` }, first: 'ok', is: ALL },
  { name: 'Csv and Config of decouple', files: `from decouple import Config, RepositoryEnv\ncfg = Config(RepositoryEnv("/srv/.env"))\n${rest('cfg("MAIL_PASSWORD")')}`, env: { MAIL_PASSWORD: GOOD }, first: 'ok' },
  { name: 'configparser', files: `import configparser\nini = configparser.ConfigParser()\nini.read("/etc/shop.ini")\n${rest('ini["mail"]["password"]')}`, first: 'unclear' },
  { name: 'json.load', files: `import json\nwith open("/etc/shop.json") as f:\n    SECRETS = json.load(f)\n${rest('SECRETS["EMAIL_HOST_PASSWORD"]')}`, first: 'unclear' },
  { name: 'a class of constants', files: `class Mail:\n    HOST = "smtp.gmail.com"\n    PASSWORD = "${GOOD}"\n${rest('Mail.PASSWORD').replace('"smtp.gmail.com"', 'Mail.HOST')}`, first: 'ok', is: ALL },
  { name: 'globals() by key', files: `${without('EMAIL_HOST')}\nglobals()["EMAIL_HOST"] = "smtp.gmail.com"\n`, first: 'ok', is: ALL },
  { name: 'a loop over a dictionary into globals()', files: `MAIL = {"EMAIL_HOST": "smtp.gmail.com", "EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "EMAIL_HOST_USER": "me@example.com", "EMAIL_HOST_PASSWORD": "${GOOD}"}\nfor key, value in MAIL.items():\n    globals()[key] = value\n`, first: 'ok', is: ALL },
  { name: 'lower() in a tuple', files: `import os\n${rest().replace('= True', '= os.environ.get("MAIL_TLS", "true").lower() in ("1", "true", "yes")')}`, first: 'ok', is: ALL },
  { name: 'bool(int(…))', files: `import os\n${rest().replace('= True', '= bool(int(os.environ.get("MAIL_TLS", 1)))')}`, first: 'ok', is: ALL },
  { name: 'bool() of "False"', files: `import os\n${rest()}EMAIL_USE_SSL = bool(os.environ.get("MAIL_SSL", "False"))\n`, first: 'wrong-port-tls-mode' },
  { name: 'env.int with a second argument', files: `import environ\nenv = environ.Env()\n${rest().replace('587', 'env.int("MAIL_PORT", 587)')}`, first: 'ok', is: ALL },
  { name: 'not EMAIL_USE_SSL', files: `EMAIL_USE_SSL = False\n${rest().replace('= True', '= not EMAIL_USE_SSL')}`, first: 'ok', is: ALL },
  { name: 'strtobool', files: `import os\nfrom distutils.util import strtobool\n${rest().replace('= True', '= strtobool(os.getenv("MAIL_TLS", "true"))')}`, first: 'ok', is: ALL },
  { name: 'get with default=', files: `import os\n${rest().replace('"smtp.gmail.com"', 'os.environ.get("MAIL_HOST", default="smtp.gmail.com")')}`, first: 'ok', is: ALL },
  { name: 'a stage that is set', files: `import os\nif os.environ.get("STAGE") == "live":\n${rest().replace(/^/gm, '    ').trimEnd()}\nelse:\n    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"\n`, env: { STAGE: 'live' }, first: 'ok', is: ALL },
  { name: 'a stage that is not set', files: `import os\nif os.environ.get("STAGE") == "live":\n${rest().replace(/^/gm, '    ').trimEnd()}\nelse:\n    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"\n`, first: 'unclear' },
  { name: '"test" in sys.argv', files: `import sys\nif "test" in sys.argv:\n    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"\n${rest()}`, first: 'ok', is: ALL },
  { name: 'a console backend by default', files: `import environ\nenv = environ.Env()\nEMAIL_BACKEND = env("EMAIL_BACKEND", default="django.core.mail.backends.console.EmailBackend")\n${rest()}`, first: 'backend-does-not-send' },
  { name: 'one name of a module of secrets', files: { 'conf/secrets.py': `PASSWORD = "${GOOD}"\n`, 'conf/__init__.py': '', 'conf/settings.py': `from .secrets import PASSWORD\n${rest('PASSWORD')}` }, read: 'conf/settings.py', first: 'ok', is: ALL },
  { name: 'one name of a module, renamed', files: { 'conf/private.py': `P = "${GOOD}"\n`, 'conf/__init__.py': '', 'conf/settings.py': `from .private import P as EMAIL_HOST_PASSWORD\n${without('EMAIL_HOST_PASSWORD')}` }, read: 'conf/settings.py', first: 'ok', is: ALL },
  { name: 'a module of secrets by its name', files: { 'conf/private.py': `PASSWORD = "${GOOD}"\n`, 'conf/__init__.py': '', 'conf/settings.py': `from . import private\n${rest('private.PASSWORD')}` }, read: 'conf/settings.py', first: 'ok', is: ALL },
  { name: 'keyring', files: `import keyring\n${rest('keyring.get_password("mail", "me")')}`, first: 'unclear' },
  { name: 'Final', files: `from typing import Final\n${rest().replace('EMAIL_HOST =', 'EMAIL_HOST: Final =')}`, first: 'ok', is: ALL },
  { name: '1 for True', files: rest().replace('= True', '= 1'), first: 'ok', is: ALL },
  { name: 'an app password with blanks', files: rest('"abcd efgh ijkl mnop"'), first: 'ok' },
  { name: 'smtp.googlemail.com', files: rest().replace('smtp.gmail.com', 'smtp.googlemail.com'), first: 'ok' },
  { name: 'a blank behind the user', files: rest().replace('me@example.com', 'me@example.com '), first: 'credentials-not-loaded' },
  { name: 'a name in the user', files: `DEFAULT_FROM_EMAIL = "Shop <me@example.com>"\n${rest().replace('"me@example.com"', 'DEFAULT_FROM_EMAIL')}`, first: 'credentials-not-loaded' },
  { name: 'another provider', files: rest().replace('smtp.gmail.com', 'smtp.sendgrid.net').replace('me@example.com', 'apikey'), first: 'ok' },
  { name: 'a placeholder', files: rest('"your-password-here"').replace('me@example.com', 'your-email@gmail.com'), first: 'credentials-not-loaded' },
  { name: 'a later line wins', files: `EMAIL_HOST = "localhost"\n${rest()}`, first: 'ok', is: ALL },
  { name: 'a lambda', files: `read = lambda name: "${GOOD}"\n${rest('read("x")')}`, first: 'unclear' },
  { name: 'split of one text', files: `HOST, PORT = "smtp.gmail.com:587".split(":")\n${rest().replace('"smtp.gmail.com"', 'HOST').replace('587', 'int(PORT)')}`, first: 'ok', is: ALL },
  { name: 'strip of a variable', files: `import os\n${rest('os.environ["MAIL_PASSWORD"].strip()')}`, env: { MAIL_PASSWORD: `${GOOD} ` }, first: 'ok', is: ALL },
  { name: 'EMAIL_ settings in a nested dictionary', files: `CONF = {"mail": {"host": "smtp.gmail.com", "pw": "${GOOD}"}}\n${rest('CONF["mail"]["pw"]').replace('"smtp.gmail.com"', 'CONF["mail"]["host"]')}`, first: 'ok', is: ALL },
  { name: 'dict.get', files: `CONF = {"pw": "${GOOD}"}\n${rest('CONF.get("pw", "")')}`, first: 'ok', is: ALL },
  { name: 'the union of dictionaries', files: `BASE = {"host": "smtp.gmail.com"}\nCONF = {**BASE, "pw": "${GOOD}"}\n${rest('CONF["pw"]').replace('"smtp.gmail.com"', 'CONF["host"]')}`, first: 'ok', is: ALL },
  { name: 'tuple of (name, default) settings', files: `import os\nSETTINGS = (("EMAIL_HOST", "smtp.gmail.com"), ("EMAIL_PORT", 587))\nfor name, default in SETTINGS:\n    globals()[name] = os.environ.get(name, default)\n`, first: 'unclear' },
  { name: 'a function with a return', files: `def host():\n    return "smtp.gmail.com"\n${rest().replace('"smtp.gmail.com"', 'host()')}`, first: 'unclear' },
  { name: 'environ.Path and read_env', files: { '.env': `EMAIL_HOST_PASSWORD=${GOOD}\nEMAIL_HOST=smtp.gmail.com\n`, 'settings.py': `import environ\nenv = environ.Env()\nenviron.Env.read_env()\n${rest('env("EMAIL_HOST_PASSWORD")').replace('"smtp.gmail.com"', 'env("EMAIL_HOST")')}` }, first: 'ok', is: ALL },
  { name: 'load_dotenv and os.getenv', files: { '.env': `PW='${GOOD}'\n`, 'settings.py': `from dotenv import load_dotenv\nimport os\nload_dotenv()\n${rest('os.getenv("PW")')}` }, first: 'ok', is: ALL },
  { name: 'export in .env', files: { '.env': `export PW=${GOOD}\n`, 'settings.py': `import os\n${rest('os.environ.get("PW", "")')}` }, first: 'ok', is: ALL },
  { name: 'try KeyError', files: `import os\ntry:\n    PW = os.environ["PW"]\nexcept KeyError:\n    PW = "${GOOD}"\n${rest('PW')}`, first: 'ok', is: ALL },
  { name: 'nested conditions on DEBUG', files: `DEBUG = False\nif DEBUG:\n    EMAIL_HOST = "localhost"\nelse:\n${rest().replace(/^/gm, '    ').trimEnd()}\n`, first: 'ok', is: ALL },
  { name: 'settings of configurations values', files: `from configurations import Configuration, values\nclass Base(Configuration):\n    EMAIL = values.EmailURLValue("smtp://localhost:25/")\n`, first: 'ok' },
  { name: 'values.Value with a default', files: `from configurations import Configuration, values\nclass Live(Configuration):\n${rest(`values.SecretValue()`).replace(/^/gm, '    ').trimEnd()}\n`, first: 'unclear' },
  { name: 'EMAIL_HOST_PASSWORD from AWS', files: `import boto3\nsecret = boto3.client("secretsmanager").get_secret_value(SecretId="mail")["SecretString"]\n${rest('secret')}`, first: 'unclear' },
  { name: 'google secret manager', files: `from google.cloud import secretmanager\nc = secretmanager.SecretManagerServiceClient()\n${rest('c.access_secret_version(name="x").payload.data.decode("UTF-8")')}`, first: 'unclear' },
  { name: 'a raw string and a triple quoted one', files: rest(`r"""${GOOD}"""`), first: 'ok', is: ALL },
  { name: 'underscore in a number', files: rest().replace('587', '5_87'), first: 'ok', is: ALL },
  { name: 'TLS only in production dictionary', files: `import os\nENVS = {"live": {"host": "smtp.gmail.com"}, "dev": {"host": "localhost"}}\n${rest().replace('"smtp.gmail.com"', 'ENVS[os.environ.get("STAGE", "live")]["host"]')}`, first: 'unclear' },
  { name: 'port 2525 of gmail', files: rest().replace('587', '25'), first: 'ok' },
  { name: 'Wagtail base import chain', files: { 'shop/settings/base.py': rest(), 'shop/settings/__init__.py': 'from .production import *\n', 'shop/settings/production.py': 'from .base import *\ntry:\n    from .local import *\nexcept ImportError:\n    pass\n' }, read: 'shop/settings/__init__.py', first: 'ok', is: ALL },
  { name: 'smtp in upper case', files: rest().replace('smtp.gmail.com', 'SMTP.GMAIL.COM'), first: 'ok' },
  { name: 'quotes within quotes', files: rest(`'"${GOOD}"'`), first: 'password-mangled' },
  { name: 'a host with a port', files: rest().replace('smtp.gmail.com', 'smtp.gmail.com:587'), first: 'bad-host-value' },
  { name: 'imap host', files: rest().replace('smtp.gmail.com', 'imap.gmail.com'), first: 'bad-host-value' },
  { name: 'EMAIL_HOST misspelt', files: rest().replace('smtp.gmail.com', 'smpt.gmail.com'), first: 'bad-host-value' },
  { name: 'the name of the setting misspelt', files: rest().replace('EMAIL_HOST_PASSWORD', 'EMAIL_PASSWORD'), first: 'credentials-not-loaded' },
  { name: 'EMAIL_USER instead', files: rest().replace('EMAIL_HOST_USER', 'EMAIL_USER'), first: 'credentials-not-loaded' },
]; // biome-ignore format: one style a line
