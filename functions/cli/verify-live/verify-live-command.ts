import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type CommandOptions, DRY_RUN, type Leaf, PROJECT_OPTION, YES } from '../common/command.ts';
import { operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { confirm, processTerminal } from '../common/terminal.ts';
import type { KeptSession } from './probes.ts';
import { chosen, emailsOf, type LiveReport, verifyLive } from './verify-live.ts';

const REPORT = 'mailgrant-verify-live.json';

/** `verify-live ADDRESS`: does Gmail do what mailgrant assumes? */
export const VERIFY_LIVE: Leaf = {
  summary: 'try on a real mailbox what mailgrant assumes of Gmail, by emails from it to itself',
  arguments: '<ADDRESS>',
  options: {
    ...PROJECT_OPTION,
    only: { value: 'ID', about: 'only this assumption of docs/assumptions.md', many: true },
    report: { value: 'FILE', about: `where the report goes (${REPORT})` },
    sessions: { value: 'FILE', about: 'ask the upload sessions of earlier runs, and keep those of this one; readable by you alone' },
    ...DRY_RUN,
    ...YES,
  },
  examples: ['verify-live notices@example.com --dry-run', 'verify-live notices@example.com --project your-project'],
  notes:
    'Each assumption held, did not hold, or could not be told. The report has no content, address or secret: attach it to an issue. Exit code 1 where one did not hold.',
  async run(options, address = '') {
    const list = chosen(many(options['only']));
    const operator = operatorFor(configFile(options), text(options, 'project'), process.env);
    const mailbox = operator.settings.config.mailboxes.find((one) => one.address === address.toLowerCase());
    if (!mailbox) throw new CommandError('mailbox_unknown', `${address} is not in the config`);
    const emails = emailsOf(list);
    const intent = `${list.length} assumptions, up to ${emails} emails from ${mailbox.address} to itself, all marked "mailgrant verify-live". They count against its daily limit.`;
    if (options['dry-run']) {
      const tried = list.map(({ id, tried }) => `  ${id.padEnd(26)} ${tried ?? 'not tried on a mailbox'}`);
      const data = { mailbox: mailbox.address, emails, assumptions: list.map(({ id }) => id) };
      return { data, text: `Would try ${intent}\n\n${tried.join('\n')}\n\nNothing was sent.` };
    }
    if (!options['yes']) await confirm(`This tries ${intent}`, processTerminal(process.env));
    const sessionsFile = text(options, 'sessions');
    const earlier = sessionsFile === undefined ? [] : readSessions(sessionsFile);
    const tell = (line: string): void => (options['json'] ? undefined : console.log(line));
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
    const { report, sessions } = await verifyLive(operator, mailbox, version, { only: many(options['only']), earlier, tell });
    const file = text(options, 'report') ?? REPORT;
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
    if (sessionsFile !== undefined) writeFileSync(sessionsFile, JSON.stringify([...earlier, ...sessions]), { mode: 0o600 });
    const wrong = countOf(report, 'did not hold');
    const summary = `${countOf(report, 'held')} held, ${wrong} did not hold, ${countOf(report, 'could not be told')} could not be told. ${report.emails} emails were sent. Report: ${file}`;
    return { data: { ...report, file }, text: summary, exitCode: wrong === 0 ? 0 : 1 };
  },
};

const countOf = ({ findings }: LiveReport, verdict: string): number => findings.filter((one) => one.verdict === verdict).length;
const text = (options: CommandOptions, name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
const many = (given: CommandOptions[string]): string[] => (given === undefined ? [] : [given].flat().map(String));

function readSessions(file: string): KeptSession[] {
  if (!existsSync(file)) return [];
  const list: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const good = (one: unknown): one is KeptSession =>
    typeof (one as KeptSession | null)?.session === 'string' &&
    Number.isFinite((one as KeptSession).bytes) &&
    Number.isFinite((one as KeptSession).at);
  if (!Array.isArray(list) || !list.every(good)) throw new CommandError('option_invalid', `--sessions ${file}: not a file of verify-live`);
  return list;
}
