import { connect as connectTcp } from 'node:net';
import { NoReply } from '../../google/http/exchange.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { type CheckFinding, type DoctorCheck, failed, passed, unclear } from './check.ts';
import type { CheckContext } from './check-context.ts';

const SKEW_MS = 60_000; // Google takes assertions that are minutes off; a minute is reason to look

/** Whether Gmail is reached, by a genuine certificate, with a clock that is right; and the SMTP ports for `via: smtp`. */
export function networkChecks(
  context: Pick<CheckContext, 'exchange'>,
  { urls, smtp: server }: Pick<CheckContext['operator']['settings'], 'urls' | 'smtp'>,
  mailboxes: readonly Mailbox[],
): DoctorCheck[] {
  const smtp = mailboxes.some(({ via }) => via === 'smtp');
  return [
    { name: 'gmail', run: () => reach(context, urls.gmail) },
    ...(smtp ? [{ name: `port ${server.port}`, run: () => portOpen(server.host, server.port) }] : []),
  ];
}

async function reach({ exchange }: Pick<CheckContext, 'exchange'>, url: string): Promise<CheckFinding[]> {
  const reply = await exchange({ method: 'GET', url: `${url}/gmail/v1/users/me/profile`, timeoutMs: 10_000 }).catch(
    (error: unknown) => error,
  );
  if (reply instanceof NoReply) return [unreachable(reply.message)];
  const { headers } = reply as { headers: { date?: string } };
  const skew = Date.now() - Date.parse(headers.date ?? '');
  if (Number.isNaN(skew)) return [passed('gmail', 'reached'), unclear('clock', 'Gmail sent no Date')];
  const clock =
    Math.abs(skew) < SKEW_MS
      ? passed('clock', `within ${Math.ceil(Math.abs(skew) / 1_000)} s of Google's`)
      : failed(
          'clock',
          'clock-skew',
          `${Math.round(Math.abs(skew) / 1_000)} s ${skew > 0 ? 'ahead of' : 'behind'} Google's`,
          'Set the clock: `timedatectl set-ntp true`, or correct it on the host of the container.',
        );
  return [passed('gmail', url.startsWith('https:') ? 'reached, certificate genuine' : 'reached'), clock];
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/;

/** What a system's error code says of the way to Google. */
export function unreachable(code: string, check = 'gmail'): CheckFinding {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return failed(
      check,
      'dns-failure',
      `the name does not resolve (${code})`,
      'Check the resolver: /etc/resolv.conf, the DNS of the container or VPC.',
    );
  if (CERTIFICATE.test(code))
    return failed(
      check,
      'tls-intercepted',
      `the certificate is not Google's (${code})`,
      'Take the proxy or antivirus out of the way, or give Node its root with NODE_EXTRA_CA_CERTS.',
    );
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH')
    return failed(
      check,
      'ipv6-unreachable',
      `no route (${code})`,
      'Prefer IPv4 (NODE_OPTIONS=--dns-result-order=ipv4first), or give the machine a route out.',
    );
  return failed(
    check,
    'port-blocked',
    `no connection (${code})`,
    'Open the way out to port 443 of googleapis.com: firewall, VPC egress, proxy.',
  );
}

/** Whether a TCP connection opens; Google Cloud blocks 25, some hosters 465 and 587 too. */
function portOpen(host: string, port: number, check = `port ${port}`): Promise<CheckFinding> {
  return new Promise((done) => {
    const socket = connectTcp({ host, port, timeout: 5_000 });
    const end = (found: CheckFinding): void => {
      socket.destroy();
      done(found);
    };
    socket.once('connect', () => end(passed(check, `open on ${host}`)));
    socket.once('timeout', () =>
      end(failed(check, 'port-blocked', `${host} does not answer`, `Open outbound TCP ${port}, or send via: api, which needs only 443.`)),
    );
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(
        error.code === 'ENOTFOUND'
          ? unreachable('ENOTFOUND', check)
          : failed(check, 'port-blocked', `${host}: ${error.code}`, `Open outbound TCP ${port}, or send via: api, which needs only 443.`),
      ),
    );
  });
}
