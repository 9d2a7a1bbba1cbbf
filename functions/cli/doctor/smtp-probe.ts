import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SmtpSettings } from '../settings/smtp-settings.ts';

/** How far a sign-in came. Transcripts hold what the server said, and of what was sent only the verb. */
export interface SmtpProbe {
  /** The last phase that was begun. */
  readonly phase: 'connect' | 'greeting' | 'ehlo' | 'starttls' | 'tls' | 'auth' | 'done';
  /** The system's or OpenSSL's code where the connection failed; null where the server answered. */
  readonly error: string | null;
  /** The server's last reply, folded lines and all. */
  readonly reply: string;
  readonly capabilities: readonly string[];
  readonly transcript: readonly string[];
}

export interface ProbeOptions {
  /** A root to trust beside Node's own (tests). */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

class Ended extends Error {}

/** Speaks SMTP up to the answer to the password, as the settings say, and sends no mail. Never throws. */
export async function probeSmtp(
  { host, port, tls, user, password }: SmtpSettings,
  { ca, timeoutMs = 10_000 }: ProbeOptions = {},
): Promise<SmtpProbe> {
  const transcript: string[] = [];
  const seen = { phase: 'connect' as SmtpProbe['phase'], reply: '', capabilities: [] as string[] };
  const wrap = (socket?: Socket) => ({
    host,
    port,
    servername: /^[\d.:]+$/.test(host) ? 'localhost' : host,
    ...(ca && { ca }),
    ...(socket && { socket }),
  });
  let line = createDialogue(tls === 'tls' ? connectTls(wrap()) : connectTcp({ host, port }), timeoutMs);
  const say = async (command: string, shown = command): Promise<string> => {
    transcript.push(`> ${shown}`);
    line.socket.write(`${command}\r\n`);
    return hear();
  };
  const hear = async (): Promise<string> => {
    seen.reply = await line.reply();
    transcript.push(...seen.reply.split('\n').map((one) => `< ${one}`));
    return seen.reply;
  };
  const hello = async (): Promise<void> => {
    const answer = await say(`EHLO ${greetingName(user)}`);
    seen.capabilities = answer
      .split('\n')
      .slice(1)
      .map((one) => one.slice(4).toUpperCase());
  };
  try {
    await line.open(tls === 'tls' ? 'secureConnect' : 'connect');
    seen.phase = 'greeting';
    if (!(await hear()).startsWith('220')) throw new Ended();
    seen.phase = 'ehlo';
    await hello();
    if (tls === 'starttls') {
      seen.phase = 'starttls';
      if (!(await say('STARTTLS')).startsWith('220')) throw new Ended();
      seen.phase = 'tls';
      line = createDialogue(connectTls(wrap(line.release())), timeoutMs);
      await line.open('secureConnect');
      await hello();
    }
    seen.phase = 'auth';
    if (!seen.capabilities.some((one) => /^AUTH\b.*\b(PLAIN|LOGIN)\b/.test(one))) throw new Ended();
    const answer = await say(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password.reveal()}`).toString('base64')}`, 'AUTH PLAIN ***');
    if (answer.startsWith('235')) {
      seen.phase = 'done';
      await say('QUIT');
    }
    return { ...seen, error: null, transcript };
  } catch (error) {
    return { ...seen, error: error instanceof Ended ? null : ((error as NodeJS.ErrnoException).code ?? (error as Error).name), transcript };
  } finally {
    line.socket.destroy();
  }
}

/** smtp-relay.gmail.com hangs up on `localhost`: the greeting names the domain of the account. */
const greetingName = (user: string): string => /@([\w.-]+)$/.exec(user)?.[1] ?? 'mailgrant.invalid';

/** A socket as replies: each call waits for one whole reply, of one or many lines. */
function createDialogue(socket: Socket, timeoutMs: number) {
  let text = '';
  let failed: Error | null = null;
  let wake: () => void = () => {};
  const fail = (error: Error): void => {
    failed ??= error;
    wake();
  };
  const onData = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
    wake();
  };
  socket.setTimeout(timeoutMs, () => fail(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
  socket.on('error', fail).on('close', () => fail(Object.assign(new Error(), { code: 'ECONNRESET' })));
  socket.on('data', onData);
  const until = async (ready: () => boolean): Promise<void> => {
    while (!ready()) {
      if (failed) throw failed;
      await new Promise<void>((done) => {
        wake = done;
      });
    }
  };
  return {
    socket,
    async open(event: 'connect' | 'secureConnect'): Promise<void> {
      let opened = false;
      socket.once(event, () => {
        opened = true;
        wake();
      });
      await until(() => opened);
    },
    async reply(): Promise<string> {
      await until(() => /^\d{3}(?: .*)?\r?\n/m.test(text) || text.length > 65_536);
      const whole = text;
      text = '';
      return whole.trimEnd().replaceAll('\r', '');
    },
    release(): Socket {
      socket.off('data', onData);
      return socket;
    },
  };
}
