import { connect } from '../../google/connect.ts';
import { firestoreClient } from '../../google/firestore/firestore-client.ts';
import { createSuppressions, type Suppression, suppressionOf } from '../../google/firestore/suppressions.ts';
import { createExchange } from '../../google/http/exchange.ts';
import { isAddress, normaliseAddress } from '../../mail/model/address.ts';
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
} from '../common/command.ts';
import { operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';

const WHERE: OptionTable = { ...PROJECT_OPTION, ...DATABASE };
const DAY_MS = 24 * 60 * 60_000;
const LIST_MAX = 1_000;
const TIMEOUT_MS = 60_000;

const leaf = (verb: string, leaf: Omit<Leaf, 'run'>): Leaf => ({
  ...leaf,
  run: (options, ...words) => runSuppressionCommand(options, verb, words, process.env),
});

/** `suppression list`, `add ADDRESS`, `remove ADDRESS`: which recipients are refused. */
export const SUPPRESSION: Group = {
  summary: 'recipients that are refused: list, add, remove',
  notes: 'The ledger has hashes of addresses alone, so list shows those; an address is hashed here, and stands in no record.',
  commands: {
    list: leaf('list', {
      summary: 'whom emails are refused to, why, and until when',
      options: WHERE,
      examples: ['suppression list --project your-project'],
    }),
    add: leaf('add', {
      summary: 'refuse emails to an address',
      arguments: '<ADDRESS>',
      options: { for: { value: 'DAYS', about: 'so long, such as 90d (what the config says, or 90d)' }, ...DRY_RUN, ...WHERE },
      examples: ['suppression add you@example.net --for 30d --project your-project'],
    }),
    remove: leaf('remove', {
      summary: 'let emails to an address go out again',
      arguments: '<ADDRESS>',
      options: { ...DRY_RUN, ...WHERE },
      examples: ['suppression remove you@example.net --project your-project', 'suppression remove you@example.net --dry-run'],
    }),
  },
};

type Env = Readonly<Record<string, string | undefined>>;

/** The command, with its surroundings given. */
export function runSuppressionCommand(options: CommandOptions, verb: string, words: readonly string[], env: Env): Promise<CommandAnswer> {
  return answering(async () => {
    const project = options['project'] === undefined ? env['GOOGLE_CLOUD_PROJECT'] : String(options['project']);
    if (!project) throw new CommandError('project_missing', 'no project is named');
    const address = verb === 'list' ? '' : addressIn(words);
    const days = daysIn(options['for']);
    const named = options['database'] === undefined ? env : { ...env, MAILGRANT_DATABASE: String(options['database']) };
    const { settings, identity } = operatorFor(configFile(options), project, named);
    const { pseudonym } = connect(settings, () => {}, identity);
    const access = {
      baseUrl: settings.urls.firestore,
      exchange: createExchange()(AbortSignal.timeout(TIMEOUT_MS)),
      token: identity,
      pause: async () => {},
      random: Math.random,
    };
    const now = Date.now();
    if (verb === 'list') {
      const values = ['bounced', 'operator'].map((stringValue) => ({ stringValue }));
      const documents = await firestoreClient(access).query(settings.database, {
        from: [{ collectionId: 'suppressions' }],
        where: { fieldFilter: { field: { fieldPath: 'reason' }, op: 'IN', value: { arrayValue: { values } } } },
        limit: LIST_MAX,
      });
      const suppressions = documents
        .map((one) => rowOf((one.name ?? '').split('/').at(-1) ?? '', suppressionOf(one)))
        .filter(({ until }) => Date.parse(until) > now)
        .sort((a, b) => (a.since < b.since ? 1 : -1));
      return { data: { suppressions }, text: suppressions.map(lineOf).join('\n') || 'No recipient is suppressed.' };
    }
    const recipient = pseudonym(address);
    const dryRun = options['dry-run'] === true;
    const store = createSuppressions(access, settings.database);
    if (verb === 'add') {
      const lasts = days === null ? (settings.config.suppress?.bouncedMs ?? 90 * DAY_MS) : days * DAY_MS;
      const suppression: Suppression = { reason: 'operator', email: '', since: now, until: now + lasts };
      if (!dryRun) await store.add(recipient, suppression);
      const ignored = settings.config.suppress ? '' : ' The config has no `suppress`, so nothing is refused yet.';
      return {
        data: { ...rowOf(recipient, suppression), did: dryRun ? 'nothing' : 'added' },
        text: `${dryRun ? 'Would refuse' : 'Refuses'} emails to it until ${dayOf(suppression.until)}, as ${recipient}.${ignored}`,
      };
    }
    const there = (await store.among([recipient], now)).has(recipient);
    if (there && !dryRun) await store.remove(recipient);
    const text = !there ? 'It is not suppressed.' : dryRun ? 'Would let emails to it go out again.' : 'Emails to it go out again.';
    return { data: { recipient, did: there && !dryRun ? 'removed' : 'nothing', suppressed: there }, text, exitCode: there ? 0 : 1 };
  });
}

const rowOf = (recipient: string, { reason, email, since, until }: Suppression) => ({
  recipient,
  reason,
  email: email || null,
  since: new Date(since).toISOString(),
  until: new Date(until).toISOString(),
});

const lineOf = ({ recipient, reason, email, since, until }: ReturnType<typeof rowOf>): string =>
  `${recipient}  ${reason.padEnd(8)}  ${since.slice(0, 10)} to ${until.slice(0, 10)}  ${email ?? ''}`.trimEnd();
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function addressIn([word = '', ...more]: readonly string[]): string {
  if (more.length > 0) throw new CommandError('option_invalid', 'one address at a time');
  if (!isAddress(word.trim())) throw new CommandError('address_missing', 'one address is expected, such as you@example.net');
  return normaliseAddress(word);
}

function daysIn(given: CommandOptions[string]): number | null {
  if (given === undefined) return null;
  const days = /^([1-9]\d{0,2})d$/.exec(String(given))?.[1];
  if (days === undefined) throw new CommandError('option_invalid', '--for: expected a time in days such as 90d');
  return Number(days);
}
