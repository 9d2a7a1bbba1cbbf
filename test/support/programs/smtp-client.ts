import { connect, type Socket } from 'node:net';

/** An SMTP client that sends what a test says, byte for byte, and reads one reply at a time. */
export interface RawSmtp extends Disposable {
  readonly socket: Socket;
  /** Writes the text as it stands. */
  write(text: string | Buffer): void;
  /** The next reply, all its lines; '' when the connection has ended. */
  reply(): Promise<string>;
  /** One command and its reply. */
  say(line: string): Promise<string>;
}

export function smtpClient(port: number): RawSmtp {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  let ended = false;
  let wake = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    wake();
  });
  for (const event of ['end', 'close', 'error'])
    socket.on(event, () => {
      ended = true;
      wake();
    });
  const take = (): string | null => {
    const found = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text)?.[0];
    if (found === undefined) return ended ? '' : null;
    text = text.slice(found.length);
    return found.trimEnd();
  };
  const client: RawSmtp = {
    socket,
    write: (bytes) => void socket.write(bytes),
    async reply() {
      for (;;) {
        const found = take();
        if (found !== null) return found;
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    },
    async say(line) {
      client.write(`${line}\r\n`);
      return client.reply();
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
  return client;
}

export const authPlain = (key: string): string => `AUTH PLAIN ${Buffer.from(`\0any\0${key}`).toString('base64')}`;

/** Connects, greets and logs in. */
export async function loggedIn(port: number, key: string): Promise<RawSmtp> {
  const client = smtpClient(port);
  await client.reply();
  await client.say('EHLO test');
  const answer = await client.say(authPlain(key));
  if (!answer.startsWith('235')) throw new Error(answer);
  return client;
}
