import { readFileSync } from 'node:fs';
import { connect } from '../../google/connect.ts';
import { STATES, type State } from '../../mail/delivery/ledger.ts';
import { timeOf } from '../../mail/message/scheduled-at.ts';
import { normaliseAddress, withAsciiDomain } from '../../mail/model/address.ts';
import { toFailure } from '../../mail/model/failure.ts';
import { answering } from '../common/answering.ts';
import {
  type CommandAnswer,
  type CommandOptions,
  DATABASE,
  DRY_RUN,
  type Group,
  type Leaf,
  type OptionTable,
  PROJECT_OPTION,
  YES,
} from '../common/command.ts';
import { operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { processTerminal, type Terminal } from '../common/terminal.ts';
import { type DecisionContext, type DecisionOptions, decisionText, dropMail, resend } from './decide.ts';
import { createLedgerQuery } from './ledger-query.ts';
import { type EmailFilter, ledgerRowOf, listMails, listText, mailText } from './list-emails.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Options of `list`. Without any of them, an empty list means that there is nothing to decide. */
const FILTERS = ['state', 'since', 'mailbox', 'to'] as const;
const OPEN: readonly State[] = ['unknown', 'failed', 'parked', 'waiting'];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const WHERE: OptionTable = { ...PROJECT_OPTION, ...DATABASE };

const leaf = (verb: string, leaf: Omit<Leaf, 'run'>): Leaf => ({
  ...leaf,
  run: (options, ...words) => runLedgerCommand(options, verb, words, process.env),
});

/** `ledger list`, `show ID`, `resend ID`, `drop ID`: the state of emails, and an operator's decisions about them. */
export const LEDGER: Group = {
  summary: 'what became of emails: list, show, resend, drop',
  notes: 'Exit code: 0 as asked, 1 refused or not sent.',
  commands: {
    list: leaf('list', {
      summary: 'newest first, never any content',
      options: {
        state: { value: 'STATE', many: true, about: `${STATES.join(', ')} (repeat it, or write commas)` },
        since: { value: 'TIME', about: '2026-11-24T08:00:00Z, or 2h, 7d' },
        mailbox: { value: 'ADDRESS', about: 'emails from this mailbox' },
        to: { value: 'ADDRESS', about: 'emails to this recipient' },
        tag: { value: 'NAME=VALUE', about: 'emails with this tag' },
        limit: { value: 'N', about: 'how many (50)' },
        ...WHERE,
      },
      examples: ['ledger list --project your-project', 'ledger list --state sent --since 2h', 'ledger list --to you@example.net'],
      notes: `By default the states ${OPEN.join(', ')}, what was begun and left for ten minutes, and what is overdue (queued or scheduled, and its message has not come for half an hour); with --to or --tag all of them.`,
    }),
    show: leaf('show', {
      summary: 'the record of an email, what it means, what fixes it, and what may be done',
      arguments: '<ID>',
      options: WHERE,
      examples: ['ledger show 0197a3c2-1f5e-7000-8000-000000000000'],
    }),
    resend: leaf('resend', {
      summary: 'let an email that failed or is unknown go out again; Gmail is asked first what it knows',
      arguments: '<ID>',
      options: {
        message: { value: 'FILE', about: 'send it now: the JSON that was asked for in the first place (- is standard input)' },
        'no-ask': { about: 'do not ask Gmail' },
        ...YES,
        ...DRY_RUN,
        ...WHERE,
      },
      examples: ['ledger resend 0197a3c2-1f5e-7000-8000-000000000000 --dry-run'],
    }),
    drop: leaf('drop', {
      summary: 'end it for good: nothing sends it any more',
      arguments: '<ID>',
      options: { ...YES, ...DRY_RUN, ...WHERE },
      examples: ['ledger drop 0197a3c2-1f5e-7000-8000-000000000000'],
    }),
  },
};

/** The command, with its dependencies as parameters. */
export function runLedgerCommand(
  options: CommandOptions,
  verb: string | undefined,
  words: readonly string[],
  env: Env,
  terminal: Terminal = processTerminal(env),
): Promise<CommandAnswer> {
  return answering(async () => {
    if (verb !== 'list' && verb !== 'show' && verb !== 'resend' && verb !== 'drop')
      throw new CommandError('option_invalid', 'expected list, show ID, resend ID or drop ID');
    const id = verb === 'list' ? '' : idIn(words);
    if (verb === 'list' && words.length > 0) throw new CommandError('option_invalid', `list takes options, not ${words.join(' ')}`);
    const project = options['project'] === undefined ? env['GOOGLE_CLOUD_PROJECT'] : String(options['project']);
    if (!project) throw new CommandError('project_missing', 'no project is named');
    const now = Date.now();
    const wanted = wantedIn(options, now);
    const message = options['message'] === undefined ? null : readMessage(String(options['message']));
    const named = options['database'] === undefined ? env : { ...env, MAILGRANT_DATABASE: String(options['database']) };
    const { settings, identity } = operatorFor(configFile(options), project, named);
    const functionContext = connect(settings, () => {}, identity);
    const { mailboxes } = settings.config;
    const asShown = (address: string): readonly string[] => {
      const written = [...new Set([normaliseAddress(address), withAsciiDomain(address.trim())])]; // plain addresses are stored as the caller gave them
      return [...written, ...written.map(functionContext.pseudonym)];
    };
    const mailboxFor = (text: string) => mailboxes.find(({ address }) => asShown(address).includes(text)) ?? null;
    const reader = { now, mailboxOf: (text: string) => mailboxFor(text)?.address ?? text };

    if (verb === 'list') {
      const query = createLedgerQuery({ settings, identity });
      const narrowed = (name: string) => (options[name] === undefined ? null : asShown(String(options[name])));
      const asked = {
        ...wanted,
        mailbox: narrowed('mailbox'),
        recipient: narrowed('to'),
        ...(options['tag'] !== undefined && { tag: String(options['tag']) }),
      };
      const data = await listMails(asked, query, reader).catch((error: unknown) => {
        if (!/\b404\b/.test(toFailure(error).message)) throw error; // a query finds nothing, or there is nothing to query
        throw new CommandError('database_missing', `there is no database ${settings.database}`);
      });
      return {
        data,
        text: listText(
          data,
          FILTERS.every((name) => options[name] === undefined),
        ),
      };
    }
    const context: DecisionContext = {
      config: settings.config,
      begin: functionContext.startInvocation,
      reader,
      mailboxOf: ({ mailbox }) => mailboxFor(mailbox),
      terminal,
    };
    if (verb === 'show') {
      const ports = functionContext.startInvocation();
      const found = await ports.ledger.read(id).finally(ports.close);
      if (!found) throw new CommandError('mail_missing', `${settings.database} has no email ${id}`);
      const data = ledgerRowOf(found.entry, reader);
      return { data, text: mailText(data) };
    }
    const choice: DecisionOptions = {
      yes: options['yes'] === true,
      dryRun: options['dry-run'] === true,
      ask: options['no-ask'] !== true,
      message,
    };
    const data = await (verb === 'resend' ? resend : dropMail)(id, choice, context);
    return { data, text: decisionText(data), exitCode: data.ok ? 0 : 1 };
  });
}

function idIn(words: readonly string[]): string {
  const [id = '', ...more] = words.map((word) => word.toLowerCase());
  if (more.length > 0) throw new CommandError('option_invalid', 'one ID at a time');
  if (!UUID.test(id)) throw new CommandError('mail_missing', id === '' ? 'no email is named' : `${id} is not the id of an email`);
  return id;
}

function wantedIn(options: CommandOptions, now: number): Pick<EmailFilter, 'states' | 'abandoned' | 'since' | 'limit'> {
  const states = [options['state'] ?? []].flat().flatMap((one) => String(one).split(',')) as State[];
  const wrong = states.find((one) => !(STATES as readonly string[]).includes(one));
  if (wrong !== undefined) throw new CommandError('option_invalid', `--state: ${wrong} is none of ${STATES.join(', ')}`);
  const limit = Number(options['limit'] ?? 50);
  if (!Number.isInteger(limit) || limit < 1) throw new CommandError('option_invalid', '--limit: expected a number from 1 on');
  const usual = options['to'] === undefined && options['tag'] === undefined ? OPEN : STATES;
  const abandoned = states.length === 0;
  return { states: abandoned ? usual : states, abandoned, since: sinceIn(options['since'], now), limit };
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function sinceIn(given: CommandOptions[string], now: number): number {
  if (given === undefined) return 0;
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(String(given)) ?? [];
  const time = amount ? now - Number(amount) * (UNIT_MS[unit] ?? 0) : timeOf(String(given), now);
  if (time === null) throw new CommandError('option_invalid', '--since: expected a time such as 2026-11-24T08:00:00Z, or 30m, 2h, 7d');
  return time;
}

function readMessage(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is no JSON' : ((error as NodeJS.ErrnoException).code ?? 'error');
    throw new CommandError('file_unreadable', `--message ${file}: ${reason}`); // the parser's message would quote the email
  }
}
