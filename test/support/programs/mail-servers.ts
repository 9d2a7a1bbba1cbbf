import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../functions/dev/function-process.ts';
import { blocksOf } from '../stack/pages.ts';

/** A mail server of Debian's in the foreground, on loopback, that takes emails for everybody and hands them to a smarthost. */
export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** Waits until so many emails have left its queue, sent or bounced. */
  emptied(count: number): Promise<void>;
  log(): string;
}

type Daemon = 'Exim' | 'Postfix';

/** Debian's Postfix and Exim exclude each other as packages: one of them is unpacked, not installed. */
const POSTFIX = ['/opt/postfix', ''].find((root) => existsSync(`${root}/usr/lib/postfix/sbin/master`));
const POSTFIX_LIBRARIES = { LD_LIBRARY_PATH: `${POSTFIX}/usr/lib/postfix` };
const EXIM = '/usr/sbin/exim4';
const isRoot = process.getuid?.() === 0; // both give up root's rights for those of users of their own

export const hasDaemon = (name: Daemon): boolean => isRoot && (name === 'Exim' ? existsSync(EXIM) : POSTFIX !== undefined);

export const versionOf = (name: Daemon): string[] =>
  name === 'Exim'
    ? [EXIM, '-bV']
    : ['env', `LD_LIBRARY_PATH=${POSTFIX_LIBRARIES.LD_LIBRARY_PATH}`, `${POSTFIX}/usr/sbin/postconf`, '-d', 'mail_version'];

/** The settings that docs/sidecar.md gives, with this port and key, as `change` has them. */
const told = (name: Daemon, port: number, key: string, change: (text: string) => string): string =>
  change(blocksOf('docs/sidecar.md').find(({ language }) => language === name.toLowerCase())?.code ?? '')
    .replaceAll('2525', String(port))
    .replaceAll('mg_shop_…', key);

/** Starts it with the sidecar at `sidecarPort` as smarthost. */
export async function startMailServer(
  name: Daemon,
  sidecarPort: number,
  key: string,
  change: (settings: string) => string = (settings) => settings,
): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const port = await freePort(0);
  const settings = told(name, sidecarPort, key, change);
  const { program, args, env } = name === 'Exim' ? exim(folder, port, settings) : postfix(folder, port, settings, sidecarPort, key);
  const child = spawn(program, args, { stdio: 'ignore', detached: true, env: { PATH: process.env['PATH'], ...env } });
  const ended = new Promise((done) => child.once('exit', done));
  const kill = (): void => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGTERM');
    } catch {
      // it has ended already
    }
  };
  process.once('exit', kill);
  const file = join(folder, 'mainlog');
  const log = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const until = async (met: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await met())) {
      if (child.exitCode !== null) throw new Error(`${name} ended: ${log().replaceAll(key, 'the key')}`);
      await sleep(50);
    }
  };
  await until(() => listens(port));
  const left = name === 'Exim' ? / (?:Completed$|Frozen )/gm : /: removed$/gm;
  return {
    port,
    log,
    emptied: (count) => until(() => (log().match(left) ?? []).length >= count),
    async [Symbol.asyncDispose]() {
      process.off('exit', kill);
      kill();
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Start {
  readonly program: string;
  readonly args: string[];
  readonly env?: Record<string, string>;
}

function exim(folder: string, port: number, settings: string): Start {
  const config = join(folder, 'exim.conf');
  const own = `primary_hostname = app.example.com
spool_directory = ${folder}
log_file_path = ${folder}/%slog
pid_file_path = ${folder}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = accept
acl_smtp_data = accept
`;
  writeFileSync(config, `${own}${settings}\nbegin retry\n* * F,1h,1m\n`, { mode: 0o644 });
  const [uid, gid] = ['-u', '-g'].map((what) => Number(execFileSync('id', [what, 'Debian-exim'], { encoding: 'utf8' })));
  chownSync(folder, uid ?? 0, gid ?? 0);
  return { program: EXIM, args: ['-C', config, '-bdf'] };
}

const QUEUE = 'active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public pid'.split(' ');
const SERVICES = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`;

function postfix(folder: string, port: number, settings: string, sidecarPort: number, key: string): Start {
  const [conf, queue, data] = ['conf', 'queue', 'data'].map((one) => join(folder, one));
  for (const one of [conf, queue, data]) mkdirSync(one ?? '');
  const own = `compatibility_level = 3.6
config_directory = ${conf}
queue_directory = ${queue}
data_directory = ${data}
daemon_directory = ${POSTFIX}/usr/lib/postfix/sbin
command_directory = ${POSTFIX}/usr/sbin
shlib_directory = no
mail_owner = mail
default_privs = nobody
setgid_group = man
import_environment = MAIL_CONFIG LD_LIBRARY_PATH TZ LANG=C
maillog_file = ${folder}/mainlog
maillog_file_prefixes = ${folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = app.example.com
mydestination =
alias_maps =
alias_database =
local_transport = error:nothing is local
mynetworks = 127.0.0.0/8
`;
  writeFileSync(join(folder, 'sasl_passwd'), `[127.0.0.1]:${sidecarPort} any:${key}\n`, { mode: 0o600 });
  writeFileSync(join(conf ?? '', 'main.cf'), `${own}${settings.replaceAll('/etc/postfix', folder)}\n`);
  writeFileSync(join(conf ?? '', 'master.cf'), `127.0.0.1:${port} inet n - n - - smtpd\n${SERVICES}`);
  const [mail, man] = [
    ['-u', 'mail'],
    ['-g', 'man'],
  ].map((which) => Number(execFileSync('id', which, { encoding: 'utf8' })));
  for (const one of [data ?? '', ...QUEUE.map((part) => join(queue ?? '', part))]) {
    mkdirSync(one, { recursive: true });
    if (!one.endsWith('/pid')) chownSync(one, mail ?? 0, /maildrop|public/.test(one) ? (man ?? 0) : 0);
    chmodSync(one, /maildrop/.test(one) ? 0o730 : /public/.test(one) ? 0o710 : /pid$/.test(one) ? 0o755 : 0o700);
  }
  chmodSync(folder, 0o755);
  return {
    program: `${POSTFIX}/usr/lib/postfix/sbin/master`,
    args: ['-d', '-c', conf ?? ''],
    env: { ...POSTFIX_LIBRARIES, MAIL_CONFIG: conf ?? '' },
  };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' })
      .once('connect', () => done(true))
      .once('error', () => done(false));
    socket.once('data', () => socket.end('QUIT\r\n'));
  });
