import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer, type SMTPServerAuthentication, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { SCOPE_MAIL } from '../../mail/model/scopes.ts';
import type { Door, Fault } from '../faults/faults.ts';
import { SMTP_REFUSALS, type SmtpRefusalName } from '../faults/smtp-replies.ts';
import { type BoundAddress, bind } from '../http/bind.ts';
import { makeCertificate } from '../http/certificate.ts';
import type { OAuth } from '../oauth/oauth.ts';

/** The running fake of smtp.gmail.com: a port with STARTTLS and one with TLS from the first byte, both on loopback. */
export interface FakeSmtp extends AsyncDisposable {
  readonly startTls: number;
  readonly tls: number;
  /** The certificate that a client must trust, as PEM. */
  readonly certificate: string;
  /** The number of open connections. */
  connections(): number;
}

export interface SmtpOptions extends Omit<BoundAddress, 'port'> {
  readonly startTls?: number;
  readonly tls?: number;
}

interface Google {
  readonly oauth: OAuth;
  /** Counts the call at the endpoint, and returns the fault that is scripted for it. */
  pass(door: Door): Fault | undefined;
  deliver(mailbox: string, raw: Buffer, recipients: readonly string[]): void;
}

const MAX_BYTES = 35_882_577; // what smtp.gmail.com announces as SIZE
const RECIPIENTS_MAX = 100;
// Gmail's 334 for a token that it refuses, before the 535; the same for a wrong scope.
const CHALLENGE = { status: '400', schemes: 'Bearer', scope: SCOPE_MAIL };

type Done = (error?: Error | null) => void;

export async function startSmtp({ startTls = 0, tls = 0, ...address }: SmtpOptions, google: Google): Promise<FakeSmtp> {
  const { cert, key } = await makeCertificate();
  const servers = [false, true].map((secure) => createServer({ cert, key, secure }, google));
  const ports = await Promise.all(servers.map(({ server }, index) => bind(server, { ...address, port: index === 0 ? startTls : tls })));
  return {
    startTls: ports[0] ?? 0,
    tls: ports[1] ?? 0,
    certificate: cert,
    connections: () => servers.reduce((sum, { connections }) => sum + connections.size, 0),
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(done))));
    },
  };
}

function createServer(tls: Pick<SMTPServerOptions, 'cert' | 'key' | 'secure'>, google: Google): SMTPServer {
  const find = ({ id }: SMTPServerSession) => [...server.connections].find((one) => one.id === id);
  /** Plays the fault of an endpoint; true where the call then continues as usual. */
  const meet = (fault: Fault | undefined, session: SMTPServerSession, done: Done): boolean => {
    if (fault?.reset === 'before') find(session)?._socket.destroy();
    else if (fault?.answer || fault?.status) done(refusalOf(fault));
    else return true;
    return false;
  };
  const at =
    (door: Door, check: (session: SMTPServerSession, address: string) => Error | null) =>
    ({ address }: { address: string }, session: SMTPServerSession, done: Done): void => {
      if (meet(google.pass(door), session, done)) done(check(session, address));
    };

  const server = new SMTPServer({
    ...tls,
    authMethods: ['LOGIN', 'PLAIN', 'XOAUTH2'],
    name: 'smtp.gmail.com',
    banner: 'gsmtp',
    size: MAX_BYTES,
    hideENHANCEDSTATUSCODES: true, // the library would put its own codes in front of Gmail's
    authRequiredMessage: '5.7.0 Authentication Required.',
    disableReverseLookup: true,
    closeTimeout: 50,
    onAuth(auth, session, done) {
      if (!meet(google.pass('smtp-auth'), session, done)) return;
      if (auth.method !== 'XOAUTH2') return done(passwordRefusal(auth));
      const address = auth.username?.toLowerCase() ?? '';
      const granted = google.oauth.session(auth.accessToken ?? '');
      if (granted?.address === address && granted.scopes.includes(SCOPE_MAIL)) return done(null, { user: address });
      done(null, { data: CHALLENGE }); // 334, and after the client's empty line 535
      const connection = find(session);
      if (connection)
        // The library's own 535 has one line in other words.
        connection._nextHandler = (_, next) => {
          const { code, lines } = SMTP_REFUSALS.bad_credentials;
          connection.send(code, [...lines]);
          next();
        };
    },
    onMailFrom: at('smtp-mail', () => null),
    onRcptTo: at('smtp-rcpt', ({ envelope }, address) => {
      if (envelope.rcptTo.length >= RECIPIENTS_MAX) return refusal('too_many_recipients');
      return /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(address) ? null : refusal('bad_recipient');
    }),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        if (stream.sizeExceeded) return done(refusal('message_too_big'));
        const fault = google.pass('smtp-data');
        if (!meet(fault, session, done)) return;
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        google.deliver(String(session.user), Buffer.concat(chunks), recipients);
        await sleep(fault?.delayMs ?? 0, undefined, { ref: false });
        if (fault?.reset === 'after')
          find(session)?._socket.destroy(); // taken, and nobody is told
        else done(null, `2.0.0 OK  ${Math.floor(Date.now() / 1_000)} laptop - gsmtp`);
      });
    },
  });
  server.on('error', () => {}); // a client that hangs up is no error of ours
  return server;
}

/** Gmail ended password sign-in: sixteen letters are taken for a revoked app password, anything else for the account's own. */
function passwordRefusal({ password }: SMTPServerAuthentication): Error {
  return refusal(/^[a-z]{16}$/.test(password ?? '') ? 'bad_credentials' : 'app_password');
}

function refusal(name: SmtpRefusalName): Error {
  const { code, lines } = SMTP_REFUSALS[name];
  return Object.assign(new Error(lines.map((line) => line.trim()).join(' ')), { responseCode: code });
}

function refusalOf({ answer, status, body }: Fault): Error {
  if (answer && answer in SMTP_REFUSALS) return refusal(answer as SmtpRefusalName);
  return Object.assign(new Error(String(body ?? '')), { responseCode: status ?? 451 });
}
