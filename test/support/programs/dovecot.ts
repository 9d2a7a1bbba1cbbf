import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { freePort } from '../../../functions/dev/function-process.ts';
import { makeCertificate } from '../../../functions/fake-google/http/certificate.ts';
import type { SmtpServer } from '../../../functions/runtime/smtp-url.ts';

/** Debian's dovecot-core and dovecot-submissiond. */
const DOVECOT = '/usr/sbin/dovecot';
export const hasDovecot = (): boolean => existsSync(DOVECOT) && existsSync('/usr/lib/dovecot/submission-login');

/** What the token introspection says of a token: the address that it stands for, nobody, or that it cannot say. */
export type Verdict = string | 'inactive' | 'broken';

export interface Dovecot extends AsyncDisposable {
  readonly smtp: SmtpServer;
  /** What it relayed: envelope recipients and bytes. */
  readonly relayed: { readonly to: string[]; readonly raw: Buffer }[];
}

/** Dovecot's submission service with XOAUTH2, in the foreground, in a folder of its own, everything on loopback. */
export async function startDovecot(judge: (token: string) => Verdict): Promise<Dovecot> {
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-dovecot-'));
  chmodSync(folder, 0o711); // its users pass through
  const { cert, key } = await makeCertificate();
  const introspection = createServer((request, response) => {
    const verdict = judge(new URL(request.url ?? '', 'http://loopback').searchParams.get('token') ?? '');
    const body = verdict === 'inactive' ? { active: false } : { active: true, email: verdict };
    response.writeHead(verdict === 'broken' ? 400 : 200, { 'content-type': 'application/json' });
    response.end(verdict === 'broken' ? '{"error":"invalid_request"}' : JSON.stringify(body));
  });
  await new Promise<void>((done) => introspection.listen(0, '127.0.0.1', done));
  const relayed: Dovecot['relayed'] = [];
  const relay = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 50,
    async onData(stream, { envelope }, done) {
      const raw = Buffer.concat(await stream.toArray());
      relayed.push({ to: envelope.rcptTo.map(({ address }) => address), raw });
      done();
    },
  });
  const relayPort = await new Promise<number>((done) => {
    const listening = relay.listen(0, '127.0.0.1', () => done((listening.address() as AddressInfo).port));
  });
  const port = await freePort(0);
  for (const [name, text] of Object.entries({ 'cert.pem': cert, 'key.pem': key })) writeFileSync(join(folder, name), text, { mode: 0o600 });
  const url = `http://127.0.0.1:${(introspection.address() as AddressInfo).port}/introspect?token=`;
  writeFileSync(join(folder, 'oauth2.conf.ext'), oauthConfig(url));
  writeFileSync(join(folder, 'dovecot.conf'), config(folder, port, relayPort));
  mkdirSync(join(folder, 'mail'), { mode: 0o777 });
  const child = spawn(DOVECOT, ['-F', '-c', join(folder, 'dovecot.conf')], { stdio: 'ignore' });
  const ended = new Promise((done) => child.once('exit', done));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`dovecot ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    smtp: { host: '127.0.0.1', port, secure: false, ca: cert },
    relayed,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      introspection.close();
      introspection.closeAllConnections();
      await new Promise<void>((done) => relay.close(done));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

const oauthConfig = (url: string): string => `introspection_mode = get
introspection_url = ${url}
username_attribute = email
active_attribute = active
active_value = true
`;

function config(folder: string, port: number, relayPort: number): string {
  const { uid, gid, username } = userInfo();
  // Started by root it runs its parts as the users of the Debian package, else all as us.
  const users = uid === 0 ? '' : `default_internal_user = ${username}\ndefault_internal_group = ${gid}\ndefault_login_user = ${username}\n`;
  const owner = uid === 0 ? 65534 : uid; // nobody
  return `${users}base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = submission
listen = 127.0.0.1
ssl = yes
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
disable_plaintext_auth = yes
auth_mechanisms = xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:${folder}/mail/%u
first_valid_uid = 1
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf.ext
}
userdb {
  driver = static
  args = uid=${owner} gid=${uid === 0 ? 65534 : gid} home=${folder}/mail/%u
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    port = ${port}
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = ${relayPort}
submission_relay_ssl = no
hostname = smtp.gmail.test
`;
}
