import { ConfigProblems } from '../../config/config-problems.ts';
import { connect } from '../../google/connect.ts';
import { createExchange } from '../../google/http/exchange.ts';
import { createSubscription, type PulledMessage } from '../../google/queue/pubsub-subscription.ts';
import { type Answer, CONFIG, type Command, type Options } from '../common/command.ts';
import { deployedEnv, operatorFor } from '../common/operator.ts';
import { CommandError, commandErrorReport, commandErrorText } from '../common/refusal.ts';
import { processTerminal, type Terminal } from '../common/terminal.ts';
import {
  type DeadLetterContext,
  type DeadLetterResult,
  deadLetterOf,
  deadLetterText,
  dropDeadLetter,
  pullDeadLetters,
  replay,
} from './dead-letters.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** `dead list`, `replay`, `drop`: the mails that were given up. */
export const DEAD: Command = {
  summary: 'dead letters: list, replay, drop',
  argument: 'list|replay|drop [ID…]',
  help: `  list            oldest first, with reason and mail, never any content; nothing is taken away
  replay [ID…]    mend the cause first. Puts them into the queue again, each as the mail that it was: what was sent is not
                  sent again, what failed is released in the ledger; then takes them away here
  drop [ID…]      take them away for good; whoever waits for such a mail waits in vain
    ID            of the dead letter, or of its mail; or all of one reason, or all:
    --reason CODE   such as grant_revoked (list takes it too)
    --all
  --limit N       how many are looked at (200)
  --yes           do not ask            --dry-run  change nothing
  --project ID    project of the deployment (GOOGLE_CLOUD_PROJECT)
  --prefix NAME   name_prefix of infra/ (mailgrant); MAILGRANT_TOPIC says the topic more exactly
  --database ID   Firestore database of the ledger (MAILGRANT_DATABASE, or mailgrant, as infra/ names it)
  --config FILE   (${CONFIG})
  --json

Needs roles/pubsub.subscriber on the subscription PREFIX-dead, roles/pubsub.publisher on the topic PREFIX-mails, roles/datastore.user.
Exit code: 0 as asked, 1 refused, or some were left.`,
  options: {
    reason: { type: 'string' },
    all: { type: 'boolean' },
    limit: { type: 'string' },
    yes: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    project: { type: 'string' },
    prefix: { type: 'string' },
    database: { type: 'string' },
  },
  run: (options, verb, ...words) => runDeadCommand(options, verb, words, process.env),
};

/** The command, with its surroundings given. Throws ConfigProblems. */
export async function runDeadCommand(
  options: Options,
  verb: string | undefined,
  words: readonly string[],
  given: Env,
  terminal: Terminal = processTerminal(given),
): Promise<Answer> {
  try {
    if (verb !== 'list' && verb !== 'replay' && verb !== 'drop') throw new CommandError('option_invalid', 'expected list, replay or drop');
    const chosen = choiceIn(options, verb, words);
    const limit = Number(options['limit'] ?? 200);
    if (!Number.isInteger(limit) || limit < 1) throw new CommandError('option_invalid', '--limit: expected a number from 1 on');
    const project = (options['project'] as string | undefined) ?? given['GOOGLE_CLOUD_PROJECT'];
    if (!project) throw new CommandError('project_missing', 'no project is named');
    const prefix = String(options['prefix'] ?? 'mailgrant');
    const morgue = open(project, prefix, String(options['config'] ?? CONFIG), namedIn(options, given));

    const held = await pullDeadLetters(morgue, limit);
    const letters = await Promise.all(held.map((one) => deadLetterOf(one, morgue)));
    const picked = held.filter((_, place) => chosen(letters[place]?.id, letters[place]?.mail, letters[place]?.reason));
    const more = held.length >= limit;
    const tail = more ? [`Only ${limit} were looked at: there may be more (--limit).`] : [];
    if (verb === 'list' || options['dry-run'] === true) {
      await morgue.pulled.nack(held);
      const data = { letters: letters.filter((_, place) => picked.includes(held[place] as PulledMessage)), more };
      const lines = data.letters.map(deadLetterText);
      const would = verb === 'list' ? [] : [`Would ${verb} ${lines.length}. Nothing was changed.`];
      return { data, text: [...(lines.length > 0 ? lines : ['No dead letters.']), ...would, ...tail].join('\n') };
    }
    await morgue.pulled.nack(held.filter((one) => !picked.includes(one)));
    if (picked.length === 0) return { data: { letters: [], more }, text: ['No such dead letter.', ...tail].join('\n'), exitCode: 1 };
    try {
      await confirm(options, `${CONSEQUENCES[verb]} ${picked.length} ${picked.length === 1 ? 'letter' : 'letters'}.`, terminal);
    } catch (error) {
      await morgue.pulled.nack(picked);
      throw error;
    }
    const done: DeadLetterResult[] = [];
    for (const one of picked) done.push(await (verb === 'replay' ? replay : dropDeadLetter)(one, morgue));
    await morgue.pulled.nack(picked.filter((_, place) => done[place]?.did === 'left')).catch(() => {}); // they come back by themselves
    const left = done.some(({ did }) => did === 'left');
    return { data: { letters: done, more }, text: [...done.map(deadLetterText), ...tail].join('\n'), exitCode: left ? 1 : 0 };
  } catch (error) {
    if (error instanceof ConfigProblems) throw error;
    const data = commandErrorReport(error);
    return { data, text: commandErrorText(data), exitCode: 1 };
  }
}

const CONSEQUENCES = {
  replay: 'What made them fail will make them fail again, unless that is mended. To be put into the queue again:',
  drop: 'Their content is nowhere else, and will be gone. To be dropped:',
} as const;

function open(project: string, prefix: string, config: string, given: Env): DeadLetterContext {
  const operator = operatorFor(config, project, deployedEnv(given, project, prefix));
  const { settings, identity } = operator;
  const exchange = createExchange()(AbortSignal.timeout(600_000));
  const line = { baseUrl: settings.urls.pubsub, exchange, identity: () => identity(exchange, Date.now()) };
  const { startInvocation: begin } = connect(settings, () => {}, identity);
  return {
    pulled: createSubscription(line, `projects/${project}/subscriptions/${prefix}-dead`),
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

const namedIn = ({ database }: Options, env: Env): Env => (database === undefined ? env : { ...env, MAILGRANT_DATABASE: String(database) });

type Chosen = (id: string | undefined, mail: string | null | undefined, reason: string | null | undefined) => boolean;

function choiceIn(options: Options, verb: string, words: readonly string[]): Chosen {
  const { reason, all } = options;
  const ways = [words.length > 0, reason !== undefined, all === true].filter(Boolean).length;
  if (ways > 1) throw new CommandError('option_invalid', 'give IDs, or --reason, or --all');
  if (ways === 0 && verb !== 'list') throw new CommandError('option_invalid', `${verb} which? Give IDs, --reason CODE, or --all`);
  if (reason !== undefined) return (_, __, why) => why === reason;
  if (words.length === 0) return () => true;
  const wanted = new Set(words.map((word) => word.toLowerCase()));
  return (id, mail) => wanted.has(id ?? '') || wanted.has(mail ?? '');
}

async function confirm(options: Options, question: string, { interactive, ask }: Terminal): Promise<void> {
  if (options['yes'] === true) return;
  if (!interactive) throw new CommandError('confirmation_missing', 'there is no terminal to ask at');
  const answer = await ask(`${question}\nGo on? [y/N] `, new AbortController().signal);
  if (!/^y(es)?$/i.test(answer?.trim() ?? '')) throw new CommandError('confirmation_missing', 'it was not confirmed');
}
