import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer, type SMTPServerAddress, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { parseAddress } from '../../mail/model/address.ts';
import { SecretString } from '../../mail/model/secret.ts';
import type { Log } from '../../runtime/log.ts';
import { IAM_DENIED } from '../common/iam-token.ts';
import { CommandError } from '../common/refusal.ts';
import { createHalfClosed } from './smtp-half-close.ts';
import type { SmtpEnvelope } from './smtp-idempotency.ts';
import { type Relay, WRONG_KEY } from './smtp-relay.ts';
import type { SmtpReply } from './smtp-reply.ts';
import { createSameContent, namesItsKey, normalised } from './smtp-same-content.ts';
import { createUnions } from './smtp-union.ts';

/** Cloud Run's limit for one HTTP/1 request, and so the largest message that can be relayed. */
export const SIZE_MAX_BYTES = 32 * 1024 * 1024;
// A message stays in memory until it is complete: a slow client must not occupy a function, and a function must not get half a message.
const HELD_MAX_BYTES = 256 * 1024 * 1024;
// The envelope travels in one HTTP header; Node's servers take 16 KiB of headers.
const ENVELOPE_MAX_BYTES = 12_000;
const CLIENTS_MAX = 1_000;
const LOGIN_FIRST = '5.7.0 Log in first, under TLS where it is offered: any user name, an API key as password';
/** After this many wrong keys the connection is closed; each is answered after twice the pause of the one before. */
export const WRONG_PER_CONNECTION = 3;
const WRONG_PAUSE_MS = 500;
// How long a client may take to close the connection when it is asked to.
const PARTING_MS = 1_000;

export interface SidecarOptions {
  readonly host: string;
  readonly port: number;
  /** Certificate chain and key as PEM; without them there is no TLS, and the sidecar listens only on loopback. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** TLS from the first byte instead of STARTTLS. */
  readonly implicitTls?: boolean;
  readonly relay: Relay;
  readonly log: Log;
  readonly heldMaxBytes?: number;
  /** How many clients may be connected at once. */
  readonly clientsMax?: number;
  /** How long equal content is one email, in milliseconds; 0 turns the comparison off. */
  readonly sameContentMs?: number;
  readonly now?: () => number;
  /** Waits; rejects early when the signal is aborted. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface Sidecar extends AsyncDisposable {
  readonly port: number;
}

/**
 * An SMTP submission server that sends each message to the function and replies only after the function has answered. It has no
 * queue and writes nothing to disk: the client keeps what is not accepted. Disposal finishes the messages in progress.
 */
export async function startSidecar({
  host,
  port,
  tls,
  implicitTls = false,
  clientsMax = CLIENTS_MAX,
  relay,
  log,
  heldMaxBytes = HELD_MAX_BYTES,
  sameContentMs = 0,
  now = Date.now,
  pause = (ms, signal) => sleep(ms, undefined, { signal }),
}: SidecarOptions) {
  if (!tls && !isLoopback(host))
    throw new CommandError(
      'option_invalid',
      `${host} can be reached from other machines: name --tls-cert and --tls-key, or listen on 127.0.0.1.`,
    );
  const inHand = new Set<Promise<void>>();
  const unions = createUnions(now, pause);
  const sameContent = createSameContent(sameContentMs, now);
  const wrongKeys = new Map<string, number>();
  const halfClosed = createHalfClosed(() => server);
  let held = 0;
  let stopping = false;

  const receive = (stream: SMTPServerDataStream): Promise<Buffer | Error> =>
    new Promise((resolve) => {
      let chunks: Buffer[] | null = [];
      let mine = 0;
      const release = (): void => {
        chunks = null;
        held -= mine;
        mine = 0;
      };
      stream.on('data', (chunk: Buffer) => {
        if (!chunks) return;
        if (stream.sizeExceeded || held + chunk.length > heldMaxBytes) return release();
        held += chunk.length;
        mine += chunk.length;
        chunks.push(chunk);
      });
      stream.once('error', () => {
        release();
        resolve(refusal(421, '4.4.2 The connection ended before the message was complete'));
      });
      stream.once('end', () => {
        const message = chunks && Buffer.concat(chunks);
        release();
        if (stream.sizeExceeded) return resolve(refusal(552, `5.3.4 The message is larger than ${SIZE_MAX_BYTES} bytes`));
        return resolve(message ?? refusal(452, '4.3.1 Too much mail at this moment; try again'));
      });
    });

  const relayed = async (stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string> => {
    const received = await receive(stream);
    if (received instanceof Error) throw received;
    const message = sameContentMs > 0 || namesItsKey(received) ? normalised(received) : received;
    const envelope = envelopeOf(session);
    held += message.length;
    const key = session.user as unknown as SecretString;
    const send = (to: SmtpEnvelope): Promise<SmtpReply> => relay.send(message, to, key, sameContent(message, to));
    const reply = bounceReply(
      await unions.send(message, envelope, key.reveal(), send).finally(() => {
        held -= message.length;
      }),
      envelope,
    );
    const facts = { smtp: reply.code, bytes: message.length, recipients: envelope.to.length, code: reply.failure };
    if (reply.code !== 250) {
      log('WARNING', 'smtp_refused', facts);
      throw refusal(reply.code, reply.text);
    }
    log('INFO', 'smtp_relayed', { ...facts, id: reply.text.split('id=')[1] });
    return reply.text;
  };

  /** Null where the key may send. A guess is answered after a pause, and the last guess of a connection closes it. */
  const logIn = async (key: SecretString, { id, remoteAddress }: SMTPServerSession): Promise<Error | null> => {
    const verdict = KEY.test(key.reveal()) ? await relay.judge(key, remoteAddress) : 'wrong';
    if (verdict === 'barred') return refusal(535, `5.7.8 ${IAM_DENIED}`);
    if (verdict === 'throttled') return refusal(454, '4.7.0 Too many keys to check at this moment; try again in a minute');
    // If the function cannot be reached, the key is not judged: the function checks it again with each message.
    if (verdict !== 'wrong') return null;
    const before = wrongKeys.get(id) ?? 0;
    wrongKeys.set(id, before + 1);
    await pause(WRONG_PAUSE_MS * 2 ** before).catch(() => {});
    if (before + 1 >= WRONG_PER_CONNECTION) return refusal(421, `4.7.0 ${WRONG_PER_CONNECTION} wrong keys; the connection ends`);
    return refusal(535, WRONG_KEY);
  };

  const server = new SMTPServer({
    name: 'mailgrant',
    allowHalfOpen: true,
    banner: 'mailgrant sidecar',
    ...(tls ?? {}),
    secure: tls !== undefined && implicitTls,
    disabledCommands: tls ? [] : ['STARTTLS'],
    allowInsecureAuth: !tls,
    authMethods: ['PLAIN', 'LOGIN'],
    authRequiredMessage: LOGIN_FIRST,
    size: SIZE_MAX_BYTES,
    hideSMTPUTF8: false,
    hideDSN: true,
    hideREQUIRETLS: true,
    disableReverseLookup: true,
    maxClients: clientsMax,
    closeTimeout: 1_000,
    logger: false,
    // AUTH is offered only under TLS, so that no client sends a password in the clear.
    onConnect(session, done) {
      session.disabledCommands = tls && !session.secure ? ['AUTH'] : tls ? [] : ['STARTTLS'];
      halfClosed.watch(session);
      done();
    },
    onSecure(_socket, session, done) {
      session.disabledCommands = [];
      halfClosed.watch(session);
      done();
    },
    onClose({ id }) {
      wrongKeys.delete(id);
    },
    onAuth({ password }, session, done) {
      const key = new SecretString(password ?? '');
      logIn(key, session).then((error) => (error ? done(error) : done(null, { user: key })), done);
    },
    // smtp-server 3.21.6 forgets the rest of a packet whose whole transaction is answered in one tick: so the reply comes in the
    // next tick.
    onMailFrom({ address }, { user }, answer) {
      const done = (error: Error | null) => setImmediate(answer, error);
      if (!(user instanceof SecretString)) return done(refusal(530, LOGIN_FIRST));
      if (stopping) return done(refusal(421, '4.3.2 The sidecar is being stopped'));
      return done(
        address === '' || asciiAddress(address) ? null : refusal(553, '5.1.7 The sender is no address that email can be sent from'),
      );
    },
    onRcptTo({ address }, session, done) {
      const plain = asciiAddress(address);
      if (!plain) return done(refusal(553, '5.1.3 The recipient is no address that email can be sent to'));
      const bytes = session.envelope.rcptTo.reduce((sum, one) => sum + one.address.length + 1, plain.length);
      return done(bytes > ENVELOPE_MAX_BYTES ? refusal(452, '4.5.3 Too many recipients for one message') : null);
    },
    onData(stream, session, done) {
      const work = relayed(stream, session)
        .then((text) => {
          halfClosed.reply(session, 250, text);
          done(null, text);
        })
        .catch((error: Error & { responseCode?: number }) => {
          halfClosed.reply(session, error.responseCode ?? 450, error.message);
          done(error);
        })
        .finally(() => inHand.delete(work));
      inHand.add(work);
    },
  });
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  server.on('error', () => {}); // a client that disconnects is no error; a port in use rejects below
  const bound = await new Promise<AddressInfo>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, host, () => resolve(server.server.address() as AddressInfo));
  });

  return {
    port: bound.port,
    async [Symbol.asyncDispose]() {
      stopping = true;
      unions.close();
      const closed = new Promise<void>((done) => server.server.close(() => done()));
      while (inHand.size > 0) await Promise.all(inHand);
      for (const connection of server.connections) connection.close();
      server.close();
      const timer = setTimeout(() => sockets.forEach((socket) => void socket.destroy()), PARTING_MS);
      await closed;
      clearTimeout(timer);
    },
  } satisfies Sidecar;
}

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

const KEY = /^mg_[!-~]{10,200}$/;

/**
 * A mail server's own bounce does not come from the mailbox, unless configured so: the function's message about its sender would
 * not help.
 */
function bounceReply(reply: SmtpReply, { from }: SmtpEnvelope): SmtpReply {
  if (from !== '' || reply.failure !== 'sender_not_allowed') return reply;
  return { ...reply, text: BOUNCE };
}

const BOUNCE =
  '5.7.1 This is a bounce (empty sender) whose From is not a mailbox of this key. Have your mail server write the mailbox into From of its bounces: docs/sidecar.md, Postfix and Exim';

/** Sorted and without repetition, so that a client's second attempt has the same envelope. */
function envelopeOf({ envelope: { mailFrom, rcptTo } }: SMTPServerSession): SmtpEnvelope {
  const to = rcptTo.map(({ address }: SMTPServerAddress) => asciiAddress(address) ?? '');
  return { from: mailFrom ? (asciiAddress(mailFrom.address) ?? '') : '', to: [...new Set(to)].sort() };
}

const asciiAddress = (address: string): string | null => parseAddress(address)?.address ?? null;

const refusal = (responseCode: number, text: string): Error => Object.assign(new Error(text), { responseCode });
