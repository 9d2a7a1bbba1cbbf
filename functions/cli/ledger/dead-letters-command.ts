import { connect } from '../../google/connect.ts';
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
import { deployedEnv, operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError } from '../common/refusal.ts';
import { confirm, processTerminal, type Terminal } from '../common/terminal.ts';
import { createSubscription, type PulledMessage } from './dead-letter-subscription.ts';
import {
  type DeadLetterContext,
  deadLetterOf,
  deadLetterText,
  dropDeadLetter,
  replay,
  surveyDeadLetters,
  takeDeadLetters,
} from './dead-letters.ts';

type Env = Readonly<Record<string, string | undefined>>;

const NEEDS = `Needs roles/pubsub.subscriber on the subscription PREFIX-dead, roles/pubsub.publisher on the topic PREFIX-mails, roles/datastore.user.
Exit code: 0 as asked, 1 refused, or some were left.`;

const WHERE: OptionTable = {
  limit: { value: 'N', about: 'how many to look at (default: 200)' },
  ...PROJECT_OPTION,
  prefix: { value: 'NAME', about: 'name_prefix of infra/ (mailgrant); MAILGRANT_TOPIC says the topic more exactly' },
  ...DATABASE,
};
const WHICH: OptionTable = {
  reason: { value: 'CODE', about: 'all of one reason, such as grant_revoked' },
  all: { about: 'all of them' },
};

const leaf = (verb: string, leaf: Omit<Leaf, 'run' | 'notes'>): Leaf => ({
  ...leaf,
  notes: NEEDS,
  run: (options, ...words) => runDeadCommand(options, verb, words, process.env),
});

/** `dead list`, `replay`, `drop`: the dead letters. */
export const DEAD: Group = {
  summary: 'dead letters: list, replay, drop',
  commands: {
    list: leaf('list', {
      summary: 'list them oldest first, with reason and email, without content; nothing is deleted',
      options: { reason: { value: 'CODE', about: 'those of one reason' }, ...WHERE },
      examples: ['dead list --project your-project', 'dead list --reason grant_revoked'],
    }),
    replay: leaf('replay', {
      summary:
        'put them into the queue again, each as the same email; fix the cause first. A sent email is not sent again; a failed email is released in the ledger. Then the dead letter is deleted',
      arguments: '[ID...]',
      options: { ...WHICH, ...WHERE, ...YES, ...DRY_RUN },
      examples: ['dead replay --reason grant_revoked', 'dead replay --all --dry-run'],
    }),
    drop: leaf('drop', {
      summary: 'delete them for good; these emails will never be sent',
      arguments: '[ID...]',
      options: { ...WHICH, ...WHERE, ...YES, ...DRY_RUN },
      examples: ['dead drop --reason request_invalid --yes'],
    }),
  },
};

/** The command; its dependencies are parameters. */
export function runDeadCommand(
  options: CommandOptions,
  verb: string | undefined,
  words: readonly string[],
  given: Env,
  terminal: Terminal = processTerminal(given),
  pause?: DeadLetterContext['pause'],
): Promise<CommandAnswer> {
  return answering(async () => {
    if (verb !== 'list' && verb !== 'replay' && verb !== 'drop') throw new CommandError('option_invalid', 'expected list, replay or drop');
    const chosen = choiceIn(options, verb, words);
    const limit = Number(options['limit'] ?? 200);
    if (!Number.isInteger(limit) || limit < 1) throw new CommandError('option_invalid', '--limit: expected a number from 1 on');
    const project = (options['project'] as string | undefined) ?? given['GOOGLE_CLOUD_PROJECT'];
    if (!project) throw new CommandError('project_missing', 'no project is named');
    const prefix = String(options['prefix'] ?? 'mailgrant');
    const context = { ...open(project, prefix, configFile(options), namedIn(options, given)), ...(pause && { pause }) };

    const held = await surveyDeadLetters(context, limit);
    const deadLetters = await Promise.all(held.map((one) => deadLetterOf(one, context)));
    const picked = held.filter((_, place) => chosen(deadLetters[place]?.id, deadLetters[place]?.mail, deadLetters[place]?.reason));
    const more = held.length >= limit;
    const tail = more ? [`Only ${limit} were looked at. There may be more: use --limit.`] : [];
    if (verb === 'list' || options['dry-run'] === true) {
      const data = { letters: deadLetters.filter((_, place) => picked.includes(held[place] as PulledMessage)), more };
      const lines = data.letters.map(deadLetterText);
      const would = verb === 'list' ? [] : [`Would ${verb} ${lines.length}. Nothing was changed.`];
      return { data, text: [...(lines.length > 0 ? lines : ['No dead letters.']), ...would, ...tail].join('\n') };
    }
    if (picked.length === 0) return { data: { letters: [], more }, text: ['No such dead letter.', ...tail].join('\n'), exitCode: 1 };
    if (options['yes'] !== true)
      await confirm(`${CONSEQUENCES[verb]} ${picked.length} ${picked.length === 1 ? 'dead letter' : 'dead letters'}.`, terminal);
    const wanted = deadLetters.filter((_, place) => picked.includes(held[place] as PulledMessage));
    const done = await takeDeadLetters(wanted, verb === 'replay' ? replay : dropDeadLetter, context, limit);
    const stayed = done.filter(({ did }) => did === 'left').length;
    const left = held.length - done.length + stayed;
    const said =
      left === 0 && !more ? [] : [`Left: ${left}${more ? ' or more' : ''} ${left === 1 && !more ? 'dead letter' : 'dead letters'}.`];
    const exitCode = stayed > 0 || (more && words.length === 0) ? 1 : 0;
    return { data: { letters: done, more, left }, text: [...done.map(deadLetterText), ...said, ...tail].join('\n'), exitCode };
  });
}

const CONSEQUENCES = {
  replay: 'They fail again if the cause is not fixed. To be put into the queue again:',
  drop: 'Their content is stored nowhere else and is lost. To be dropped:',
} as const;

function open(project: string, prefix: string, config: string, given: Env): DeadLetterContext {
  const operator = operatorFor(config, project, deployedEnv(given, project, prefix));
  const { settings, identity } = operator;
  const { startInvocation: begin } = connect(settings, () => {}, identity);
  return {
    pulled: createSubscription(operator, `projects/${project}/subscriptions/${prefix}-dead`),
    queue: {
      async publish(message) {
        const ports = begin();
        await ports.queue?.publish(message).finally(ports.close);
      },
    },
    routes: (settings.config.routes ?? []).map(({ name }) => name),
    begin,
  };
}

const namedIn = ({ database }: CommandOptions, env: Env): Env =>
  database === undefined ? env : { ...env, MAILGRANT_DATABASE: String(database) };

type Chosen = (id: string | undefined, mail: string | null | undefined, reason: string | null | undefined) => boolean;

function choiceIn(options: CommandOptions, verb: string, words: readonly string[]): Chosen {
  const { reason, all } = options;
  const ways = [words.length > 0, reason !== undefined, all === true].filter(Boolean).length;
  if (ways > 1) throw new CommandError('option_invalid', 'give IDs, or --reason, or --all');
  if (ways === 0 && verb !== 'list') throw new CommandError('option_invalid', `${verb} which? Give IDs, --reason CODE, or --all`);
  if (reason !== undefined) return (_, __, why) => why === reason;
  if (words.length === 0) return () => true;
  const wanted = new Set(words.map((word) => word.toLowerCase()));
  return (id, mail) => wanted.has(id ?? '') || wanted.has(mail ?? '');
}
