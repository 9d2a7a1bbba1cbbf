import { existsSync, readFileSync } from 'node:fs';
import { ConfigProblems } from '../../config/config-problems.ts';
import { explain } from '../../diagnose/explain.ts';
import { type CommandOptions, type Leaf, PREFIX, PROJECT_OPTION } from '../common/command.ts';
import { operatorFor, operatorWithoutProject } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { fromSettingsPy } from '../settings/python-settings.ts';
import { askSettings } from '../settings/smtp-prompt.ts';
import { fromDjango, fromUrl } from '../settings/smtp-settings.ts';
import { type CheckFinding, type DoctorCheck, failed, runChecks, unclear } from './check.ts';
import { type Explain, smtpChecks } from './check-smtp.ts';
import { checksWithoutProject } from './checks-without-project.ts';
import { doctorChecks } from './doctor-checks.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** `doctor`: tells each finding as it comes (unless --json), and answers them all. */
export const DOCTOR: Leaf = {
  summary: 'find out why email is not being sent, and how to fix it',
  arguments: '[ADDRESS]',
  options: {
    ...PROJECT_OPTION,
    ...PREFIX,
    'service-account': { value: 'ADDRESS', about: 'account of a function, which must be able to read the grants (several: a,b)' },
    send: { about: 'send an email from the mailbox to itself' },
    'lose-reply': { about: 'with --send: drop the connection before the reply, and ask the session what became of it' },
    smtp: { about: 'look at a password set-up instead: --settings FILE, --url URL, EMAIL_* variables of the environment, or questions' },
    settings: { value: 'FILE', about: 'with --smtp: a Django settings.py, which is read and never run' },
    url: { value: 'URL', about: 'with --smtp: smtp://user:password@host:port' },
  },
  examples: ['doctor --project your-project', 'doctor notices@example.com --send', 'doctor --smtp --settings settings.py'],
  notes:
    'ADDRESS narrows it to one mailbox. Without a project it looks at config, credentials, network and clock, says what it left out, and exits with 2 where nothing is wrong. Exit code 0 only if all is well. Passwords and tokens are never shown.',
  async run(options, address) {
    const tell = (found: CheckFinding): void => (options['json'] ? undefined : console.log(line(found)));
    const checks = options['smtp']
      ? await passwordChecks(text(options, 'settings'), text(options, 'url') ?? address, process.env)
      : grantChecks(options, address, process.env);
    const found = Array.isArray(checks) ? await runChecks(checks, tell) : checks.problems;
    if (!Array.isArray(checks)) found.forEach(tell);
    const sick = found.filter(({ ok }) => ok === false).length;
    const partly = found.some(({ check, ok }) => ok === null && LEAVES_OUT.has(check));
    const well = partly ? 'Nothing is wrong in what was looked at.' : 'All is well.';
    const summary = sick === 0 ? well : `${sick} ${sick === 1 ? 'thing is' : 'things are'} wrong.`;
    return { data: { ok: sick === 0 && !partly, findings: found }, text: summary, exitCode: sick > 0 ? 1 : partly ? 2 : 0 };
  },
};

/** Checks that say, where they are unclear, that most was left out. */
const LEAVES_OUT: ReadonlySet<string> = new Set(['project', 'source']);

const text = (options: CommandOptions, name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);

function grantChecks(options: CommandOptions, address: string | undefined, env: Env): DoctorCheck[] | { problems: CheckFinding[] } {
  const config = configFile(options);
  try {
    const serviceAccounts = text(options, 'service-account')?.split(',') ?? [];
    if (!text(options, 'project') && !env['GOOGLE_CLOUD_PROJECT']) {
      const exists = existsSync(config);
      return checksWithoutProject(operatorWithoutProject(exists ? config : null, env), config, exists, address);
    }
    const operator = operatorFor(config, text(options, 'project'), env);
    return doctorChecks(operator, {
      address,
      serviceAccounts,
      send: options['send'] === true,
      loseReply: options['lose-reply'] === true,
      prefix: text(options, 'prefix'),
    });
  } catch (error) {
    if (!(error instanceof ConfigProblems)) throw error;
    return { problems: error.problems.map((problem) => failed('config', 'config_invalid', problem, `Correct it in ${config}.`)) };
  }
}

async function passwordChecks(settingsFile: string | undefined, url: string | undefined, env: Env): Promise<DoctorCheck[]> {
  if (!settingsFile && !url && process.stdin.isTTY !== true && !Object.keys(env).some((name) => name.startsWith('EMAIL_')))
    return [
      {
        name: 'source',
        run: async () =>
          unclear(
            'source',
            'nothing says where the password setup is: no EMAIL_* variable is set here',
            'A Django project: `npx mailgrant doctor --smtp --settings FILE` (settings.py is read, never run).',
            "Anything else: `npx mailgrant doctor --smtp --url 'smtp://user:password@smtp.gmail.com:587'`, or set EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS, EMAIL_HOST_USER and EMAIL_HOST_PASSWORD.",
          ),
      },
    ];
  const asked = !settingsFile && !url && env['EMAIL_HOST'] === undefined && process.stdin.isTTY === true;
  const found = settingsFile
    ? fromSettingsPy(settingsFile, env)
    : url
      ? fromUrl(url)
      : fromDjango(asked ? await askSettings(process.stdin, process.stderr) : env);
  const ca = env['NODE_EXTRA_CA_CERTS'];
  return smtpChecks(found, explainReply, ca ? { ca: readFileSync(ca, 'utf8') } : {});
}

/** What the catalogue of pasted errors makes of a server's reply to a password. */
const explainReply: Explain = (reply) => {
  const [best] = explain(`> AUTH PLAIN ***\n${reply}`).matches;
  return best ? { cause: best.cause, fix: best.fix } : null;
};

function line({ check, ok, detail, cause, fix }: CheckFinding): string {
  const sign = ok === null ? 'unknown' : ok ? 'ok     ' : 'WRONG  ';
  return [`${sign}  ${check}: ${detail}${cause ? `  [${cause}]` : ''}`, ...fix.map((step) => `           ${step}`)].join('\n');
}
