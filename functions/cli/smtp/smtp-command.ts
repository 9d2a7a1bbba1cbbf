import { readFileSync } from 'node:fs';
import { createLog } from '../../runtime/log.ts';
import type { CommandOptions, Leaf } from '../common/command.ts';
import { createIamHeader, noIamHeader } from '../common/iam-token.ts';
import { CommandError } from '../common/refusal.ts';
import { targetUrl } from '../common/target.ts';
import { createRelay } from './smtp-relay.ts';
import { startSidecar } from './smtp-sidecar.ts';

const LISTEN = '127.0.0.1:2525';

/** `smtp`: an SMTP server for apps that send only by SMTP. It runs until Ctrl-C. */
export const SMTP: Leaf = {
  summary: 'the SMTP sidecar: for apps that can only speak SMTP',
  options: {
    listen: { value: 'HOST:PORT', about: `where apps reach it (${LISTEN})` },
    url: { value: 'URL', about: 'the function api (MAILGRANT_URL, or the one of npx mailgrant dev)' },
    iam: { about: "the function is behind Google IAM: this machine's service account is shown to it too" },
    'tls-cert': { value: 'FILE', about: 'certificate chain: offers STARTTLS; needed for any other address than loopback' },
    'tls-key': { value: 'FILE', about: 'its private key' },
    'implicit-tls': { about: 'TLS from the first byte, as on port 465' },
    'same-content': { value: 'MINUTES', about: 'the same content to the same recipients is one email for so long (up to 1440)' },
  },
  examples: ['smtp', 'smtp --url https://mailgrant-api-abc.run.app --listen 127.0.0.1:2525'],
  notes: 'Apps log in with any user name and an API key as password. docs/sidecar.md says more. It runs until Ctrl-C.',
  async run(options) {
    const { host, port: wanted } = listenAddress(text(options, 'listen') ?? LISTEN);
    const url = targetUrl(text(options, 'url'), process.env);
    const tls = certificate(text(options, 'tls-cert'), text(options, 'tls-key'));
    const implicitTls = options['implicit-tls'] === true;
    if (implicitTls && !tls) throw new CommandError('option_invalid', '--implicit-tls: needs --tls-cert and --tls-key');
    const sameContentMs = minutes(text(options, 'same-content') ?? '0') * 60_000;
    const log = createLog();
    const relay = createRelay(url, options['iam'] === true ? createIamHeader(url) : noIamHeader);
    const sidecar = await startSidecar({ host, port: wanted, tls, implicitTls, relay, log, sameContentMs });
    const stop = (): void => void sidecar[Symbol.asyncDispose]().then(() => process.exit(0));
    process.once('SIGTERM', stop).once('SIGINT', stop);
    const { port } = sidecar;
    const security = tls ? (implicitTls ? 'TLS' : 'STARTTLS') : 'none';
    return { data: { host, port, security, url }, text: welcome(host, port, security, url) };
  },
};

const welcome = (host: string, port: number, security: string, url: string): string => `SMTP on ${host}:${port}, relayed to ${url}

  host ${host}   port ${port}   security ${security}
  user name anything   password an API key (npx mailgrant key create ID)

Django   EMAIL_HOST = "${host}"  EMAIL_PORT = ${port}  EMAIL_USE_${security === 'TLS' ? 'SSL' : 'TLS'} = ${security === 'none' ? 'False' : 'True'}
         EMAIL_HOST_USER = "mailgrant"  EMAIL_HOST_PASSWORD = os.environ["MAILGRANT_KEY"]
Ctrl-C stops it after the emails in progress are finished.
`;

const text = (options: CommandOptions, name: string): string | undefined =>
  options[name] === undefined ? undefined : String(options[name]);

/** `HOST:PORT`, `[IPV6]:PORT` or `PORT`. */
function listenAddress(given: string): { host: string; port: number } {
  const [, six, four, digits] = /^(?:(?:\[([0-9a-f:]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(given) ?? [];
  if (digits === undefined || Number(digits) > 65_535)
    throw new CommandError('option_invalid', '--listen: expected HOST:PORT, such as 127.0.0.1:2525');
  return { host: six ?? four ?? '127.0.0.1', port: Number(digits) };
}

/** At most as long as the function remembers an idempotency key. */
function minutes(given: string): number {
  if (!/^\d{1,4}$/.test(given) || Number(given) > 24 * 60)
    throw new CommandError('option_invalid', '--same-content: expected minutes, up to 1440');
  return Number(given);
}

function certificate(cert: string | undefined, key: string | undefined): { cert: string; key: string } | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new CommandError('option_invalid', '--tls-cert and --tls-key go together');
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
