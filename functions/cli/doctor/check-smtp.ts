import { lookup } from 'node:dns/promises';
import type { FoundSettings, SmtpSettings } from '../settings/smtp-settings.ts';
import { type CheckFinding, type DoctorCheck, failed, passed, unclear } from './check.ts';
import { unreachable } from './check-network.ts';
import { type ProbeOptions, probeSmtp, type SmtpProbe } from './smtp-probe.ts';

const MOVE = 'Or leave passwords behind: `npx mailgrant authorize ADDRESS`, and send through the function.';

/** What a reply or an error of the server means; the pasted-error catalogue does it for all that Gmail says. */
export type Explain = (text: string) => { readonly cause: string; readonly fix: readonly string[] } | null;

/** The checks of a password set-up, from its settings to the answer to the password. No mail is sent, nothing is echoed. */
export function smtpChecks(found: FoundSettings, explain: Explain, options: ProbeOptions = {}): DoctorCheck[] {
  const { settings } = found;
  const look: DoctorCheck = { name: 'settings', run: async () => settingsFindings(found) };
  if (!found.complete)
    return [look, { name: 'sign-in', run: async () => unclear('sign-in', 'not looked at: the settings do not name a server') }];
  return [
    look,
    { name: 'dns', run: () => resolve(settings.host) },
    { name: 'sign-in', needs: ['dns'], run: async () => signIn(settings, await probeSmtp(settings, options), explain) },
  ];
}

const PLACEHOLDER =
  /^(?:<.*>|\$\{.*\}|x{4,}|\*{3,}|change[-_ ]?me|undefined|null|none|(?:your|my)[-_ ]?(?:\w+[-_ ])?(?:app[-_ ])?(?:e?mail|gmail|password|pass|username|user|address|name|key)\b.*|(?:app[-_ ]?)?password)$/i;

/** What is wrong in the settings themselves, before anything is asked. Pure. */
export function settingsFindings({ settings, missing, problems, complete }: FoundSettings): CheckFinding[] {
  const { host, port, tls, user, password } = settings;
  const google = /(^|\.)(gmail|google|googlemail)\.com$/i.test(host);
  const text = password.reveal();
  const stated = [
    ...problems.map(({ ok, cause, detail, fix }) =>
      ok === false ? failed('settings', cause ?? 'unclassified', detail, fix) : unclear('settings', detail, fix),
    ),
    ...missing.map((name) =>
      name.endsWith('HOST') || name === 'host'
        ? failed('settings', 'bad-host-value', `${name} is empty`, 'Set it to smtp.gmail.com.')
        : failed('settings', 'credentials-not-loaded', `${name} is empty`, 'Check that the .env file or secret is loaded in this process.'),
    ),
  ];
  // What was not named is not judged.
  if (!complete) return stated.length > 0 ? stated : [unclear('settings', 'no mail server is named')];
  const findings = [
    ...stated,
    ...(/["']|^\s|\s$|^https?:|:\d+$/.test(host)
      ? [failed('settings', 'bad-host-value', 'the host holds quotes, blanks, a port or a URL', 'Set the bare name: smtp.gmail.com')]
      : []),
    ...(google && !['smtp.gmail.com', 'smtp.googlemail.com', 'smtp-relay.gmail.com'].includes(host.toLowerCase())
      ? [failed('settings', 'bad-host-value', 'this is not a mail host of Google', 'Set the host to smtp.gmail.com')]
      : []),
    ...(port === 465 && tls !== 'tls'
      ? [
          failed(
            'settings',
            'wrong-port-tls-mode',
            '465 speaks TLS from the first byte',
            'EMAIL_USE_SSL=True and EMAIL_USE_TLS=False, or port 587 with EMAIL_USE_TLS=True',
          ),
        ]
      : []),
    ...(port === 587 && tls === 'tls'
      ? [
          failed(
            'settings',
            'wrong-port-tls-mode',
            '587 begins in the clear and is upgraded',
            'EMAIL_USE_TLS=True and EMAIL_USE_SSL=False, or port 465 with EMAIL_USE_SSL=True',
          ),
        ]
      : []),
    ...(port === 587 && tls === 'none'
      ? [failed('settings', 'starttls-missing', 'the password would go in the clear, and Gmail refuses that', 'EMAIL_USE_TLS=True')]
      : []),
    ...(google && user !== '' && !/^[^\s<>@"']+@[^\s<>@"']+$/.test(user)
      ? [
          failed(
            'settings',
            'credentials-not-loaded',
            'the user is not a bare address',
            'EMAIL_HOST_USER must be name@domain, without a name, blanks or quotes',
          ),
        ]
      : []),
    ...(text !== text.trim() || /^(["']).*\1$|\u00a0/.test(text)
      ? [
          failed(
            'settings',
            'password-mangled',
            'the password has blanks or quotes at its ends',
            'Take them out of the .env file or the secret.',
          ),
        ]
      : []),
    ...(PLACEHOLDER.test(text) || PLACEHOLDER.test(user)
      ? [
          failed(
            'settings',
            'credentials-not-loaded',
            'user or password is a placeholder of an example',
            'Put in your own, from the environment.',
          ),
        ]
      : []),
    ...(google && text !== '' && !PLACEHOLDER.test(text) && !/^[a-z]{4}( ?[a-z]{4}){3}$/.test(text.trim())
      ? [
          unclear(
            'settings',
            'the password has not the form of an app password (16 lower-case letters); Gmail takes no account passwords',
            MOVE,
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [passed('settings', `${host}:${port}, ${tls}`)];
}

async function resolve(host: string): Promise<CheckFinding> {
  return lookup(host).then(
    () => passed('dns', 'the host resolves'),
    (error: NodeJS.ErrnoException) => unreachable(error.code ?? 'ENOTFOUND', 'dns'),
  );
}

/** What the dialogue says. Pure: how it went is in the probe. */
export function signIn({ port, tls }: SmtpSettings, { phase, error, reply, capabilities }: SmtpProbe, explain: Explain): CheckFinding[] {
  if (phase === 'done') return [passed('connection', `port ${port}, ${tls}`), passed('sign-in', 'the server takes the password')];
  if (error !== null) return [connection(port, tls, phase, error)];
  const connected = phase === 'auth' ? [passed('connection', `port ${port}, ${tls}`)] : [];
  if (phase === 'starttls')
    return [
      failed(
        'connection',
        'wrong-port-tls-mode',
        'the server does not offer STARTTLS',
        'Use port 587 of smtp.gmail.com; another server stands in between otherwise.',
      ),
    ];
  if (phase === 'auth' && !capabilities.some((one) => one.startsWith('AUTH')))
    return [
      ...connected,
      failed(
        'sign-in',
        tls === 'none' ? 'starttls-missing' : 'auth-not-attempted',
        'the server offers no sign-in on this connection',
        'Gmail offers it only after TLS: EMAIL_USE_TLS=True on port 587.',
      ),
    ];
  if (phase === 'auth' && !/^\d{3}[ -]/.test(reply)) return [...connected, unclear('sign-in', 'the server gave no answer')];
  if (phase === 'auth' && reply.startsWith('250'))
    return [...connected, failed('sign-in', 'app-password-required', 'the server takes no passwords, only tokens (XOAUTH2)', MOVE)];
  const known = explain(reply);
  if (known) return [...connected, failed('sign-in', known.cause, `the server answered ${reply.slice(0, 3)}`, ...known.fix, MOVE)];
  return [
    ...connected,
    failed(
      'sign-in',
      'unclassified',
      `the server answered ${reply.split('\n', 1)[0]?.slice(0, 120)}`,
      'Paste the whole answer into `npx mailgrant explain`.',
    ),
  ];
}

function connection(port: number, tls: SmtpSettings['tls'], phase: SmtpProbe['phase'], code: string): CheckFinding {
  const wrongMode = /WRONG_VERSION_NUMBER|EPROTO|ERR_SSL/.test(code) || (phase === 'greeting' && tls !== 'tls');
  if (wrongMode)
    return failed(
      'connection',
      'wrong-port-tls-mode',
      `the server does not speak ${tls === 'tls' ? 'TLS from the first byte' : 'in the clear'} on ${port} (${code})`,
      'Port 587 with STARTTLS, or port 465 with TLS from the first byte.',
    );
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code))
    return failed(
      'connection',
      'tls-intercepted',
      `the certificate cannot be trusted (${code})`,
      'Take the proxy or antivirus out of the way; on a server, update ca-certificates and the clock.',
    );
  return {
    ...unreachable(code, 'connection'),
    fix: [`Open outbound TCP ${port}: firewall, hoster, cloud provider. Google Cloud blocks 25.`, MOVE],
  };
}
