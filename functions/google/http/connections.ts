import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';

/** Whom to connect to. */
export interface Origin {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

/** What a connection tells whoever holds it; nobody is told anything while it is idle. */
export interface Listener {
  data(bytes: Buffer): void;
  /** The other side is done sending. */
  end(): void;
  /** The connection is gone. */
  fail(code: string): void;
}

export interface Connection {
  readonly socket: Socket;
  /** It served before: the other side may have closed it in the meantime. */
  readonly reused: boolean;
  /** Whether it was ever open, TLS included: before that no byte of a request has left. */
  isOpen(): boolean;
  /** Keeps it for another request, for so many milliseconds; 0 ends it. */
  release(keepMs: number): void;
}

export interface Connections {
  /** A kept connection that was used less than `maxIdleMs` ago, or else a new one. */
  take(origin: Origin, maxIdleMs: number, listener: Listener): Connection;
}

const IDLE_MAX = 256;

interface Kept {
  readonly socket: Socket;
  listener: Listener | null;
  open: boolean;
  idleSince: number;
  keepUntil: number;
}

/**
 * Connections that are kept for the next request, since each TLS handshake costs more than the request. One carries one request
 * at a time; what comes while it is idle ends it. Idle ones do not keep the process alive.
 */
export function createConnections(now: () => number = () => performance.now()): Connections {
  const idle = new Map<string, Kept[]>();
  const sessions = new Map<string, Buffer>(); // a TLS session is resumed at half the cost

  const forget = (key: string, kept: Kept): void => {
    const others = idle.get(key);
    const at = others?.indexOf(kept) ?? -1;
    if (at >= 0) others?.splice(at, 1);
    kept.socket.destroy();
  };

  const open = (key: string, { secure, host, port }: Origin): Kept => {
    const common = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 1_000 };
    const session = sessions.get(key);
    const socket: Socket = secure
      ? connectSecure({
          ...common,
          servername: isIP(host) === 0 ? host : '', // an address is no server name (RFC 6066, 3)
          ALPNProtocols: ['http/1.1'],
          ...(session && { session }),
        }).on('session', (ticket: Buffer) => sessions.set(key, ticket))
      : connectPlain(common);
    const kept: Kept = { socket, listener: null, open: false, idleSince: 0, keepUntil: 0 };
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      kept.open = true;
    });
    const tell = (how: (listener: Listener) => void): void => {
      if (kept.listener) how(kept.listener);
      else forget(key, kept);
    };
    socket.on('data', (bytes: Buffer) => tell((listener) => listener.data(bytes)));
    socket.on('end', () => tell((listener) => listener.end()));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (secure && !kept.open) sessions.delete(key);
      tell((listener) => listener.fail(error.code ?? error.name));
    });
    socket.on('close', () => tell((listener) => listener.fail('ECONNRESET')));
    return kept;
  };

  /** The one that was used last, so that those which are not needed grow old. */
  const reuse = (key: string, maxIdleMs: number): Kept | undefined => {
    const kept = idle.get(key)?.pop();
    if (!kept) return undefined;
    const time = now();
    if (kept.keepUntil > time && time - kept.idleSince < maxIdleMs && !kept.socket.destroyed) return kept;
    kept.socket.destroy();
    return reuse(key, maxIdleMs); // those below it are older still, but may be kept longer
  };

  return {
    take(origin, maxIdleMs, listener) {
      const key = `${origin.secure ? 'https' : 'http'}://${origin.host}:${origin.port}`;
      const known = reuse(key, maxIdleMs);
      const kept = known ?? open(key, origin);
      kept.listener = listener;
      kept.socket.ref();
      return {
        socket: kept.socket,
        reused: known !== undefined,
        isOpen: () => kept.open,
        release: (keepMs) => {
          if (kept.listener !== listener) return; // given back already
          kept.listener = null;
          const others = idle.get(key) ?? [];
          if (keepMs === 0 || kept.socket.destroyed || others.length >= IDLE_MAX) return void kept.socket.destroy();
          kept.idleSince = now();
          kept.keepUntil = kept.idleSince + keepMs;
          kept.socket.unref();
          idle.set(key, [...others, kept]);
        },
      };
    },
  };
}
