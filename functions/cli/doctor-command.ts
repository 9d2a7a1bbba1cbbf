import { readFileSync } from 'node:fs';
import { ConfigProblems } from '../config/load.ts';
import { doctorChecks } from './doctor.ts';
import { type Explain, smtpChecks } from './doctor-smtp.ts';
import { type Check, type Diagnosis, examine, wrong } from './examine.ts';
import { operatorFor } from './operator.ts';
import { fromDjango, fromSettingsPy, fromUrl } from './smtp-settings.ts';

type Options = Readonly<Record<string, string | boolean | undefined>>;
type Env = Readonly<Record<string, string | undefined>>;

/** `doctor`: prints each finding as it comes (to stderr with --json), and answers them all. */
export async function runDoctor(options: Options, [address]: readonly string[], config: string, env: Env) {
  const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
  const tell = (found: Diagnosis): void => (options['json'] ? undefined : console.log(line(found)));
  const checks = options['smtp'] ? passwordChecks(text('settings'), text('url') ?? address, env) : grantChecks();
  const found = Array.isArray(checks) ? await examine(checks, tell) : checks.problems;
  if (!Array.isArray(checks)) found.forEach(tell);
  const sick = found.filter(({ ok }) => ok === false).length;
  const summary = sick === 0 ? 'All is well.' : `${sick} ${sick === 1 ? 'thing is' : 'things are'} wrong.`;
  return { data: { ok: sick === 0, findings: found }, text: summary, ok: sick === 0 };

  function grantChecks(): Check[] | { problems: Diagnosis[] } {
    try {
      const serviceAccounts = text('service-account')?.split(',') ?? [];
      return doctorChecks(operatorFor(config, text('project'), env), {
        address,
        serviceAccounts,
        send: options['send'] === true,
        loseReply: options['lose-reply'] === true,
      });
    } catch (error) {
      if (!(error instanceof ConfigProblems)) throw error;
      return { problems: error.problems.map((problem) => wrong('config', 'config_invalid', problem, `Correct it in ${config}.`)) };
    }
  }
}

function passwordChecks(settingsFile: string | undefined, url: string | undefined, env: Env): Check[] {
  const found = settingsFile ? fromSettingsPy(readFileSync(settingsFile, 'utf8'), env) : url ? fromUrl(url) : fromDjango(env);
  const ca = env['NODE_EXTRA_CA_CERTS'];
  return smtpChecks(found, explainReply, ca ? { ca: readFileSync(ca, 'utf8') } : {});
}

/** Until the catalogue of pasted errors is asked: nothing is known. */
const explainReply: Explain = () => null;

function line({ check, ok, detail, cause, fix }: Diagnosis): string {
  const sign = ok === null ? 'unknown' : ok ? 'ok     ' : 'WRONG  ';
  return [`${sign}  ${check}: ${detail}${cause ? `  [${cause}]` : ''}`, ...fix.map((step) => `           ${step}`)].join('\n');
}
