import { answering } from '../common/answering.ts';
import { type CommandAnswer, type CommandOptions, DRY_RUN, type Leaf, PREFIX, PROJECT_OPTION, YES } from '../common/command.ts';
import { CommandError } from '../common/refusal.ts';
import { confirm, processTerminal, type Terminal } from '../common/terminal.ts';
import { type Programs, programs, shownCommand } from './program.ts';
import { findServices, type Service, switching } from './sending-services.ts';

type Env = Readonly<Record<string, string | undefined>>;

const OBEYED =
  'Each function obeys once its command has returned, about a minute from now; requests that it has in hand by then are finished, within another minute.';
const CONSEQUENCE = {
  stop: `All sending stops: api and hooks answer 503, what is in the queue or comes at its time waits. ${OBEYED}`,
  start: `Sending starts again: what waits goes out within about twelve minutes. ${OBEYED}`,
} as const;
const NEXT = {
  stop: 'Stopped. `npx mailgrant start` goes on. A deployment may start it again: set `stopped = true` in infra/terraform.tfvars before you deploy.',
  start: 'Started. Messages too large to wait are dead letters: npx mailgrant dead replay --reason stopped',
} as const;

const leaf = (verb: 'stop' | 'start', about: string): Leaf => ({
  summary: about,
  options: { ...PROJECT_OPTION, ...PREFIX, ...YES, ...DRY_RUN },
  examples: [`${verb} --project your-project --dry-run`, `${verb} --project your-project`],
  notes: `Needs gcloud, signed in, with roles/run.developer on the services and roles/iam.serviceAccountUser on their accounts. ${OBEYED}
Exit code: 0 all functions obey, 1 refused, or some do not.`,
  run: (options) => runStopCommand(options, verb, process.env),
});

/** `stop`: sets the switch that stops all sending. */
export const STOP = leaf('stop', 'stop all sending: api and hooks answer 503, the queue, events and documents wait, nothing is lost');
/** `start`: clears the switch. */
export const START = leaf('start', 'go on after stop: what waited goes out, each email once');

/** The command, with its dependencies as parameters. */
export function runStopCommand(
  options: CommandOptions,
  verb: 'stop' | 'start',
  env: Env,
  { terminal = processTerminal(env), run = programs }: { readonly terminal?: Terminal; readonly run?: Programs } = {},
): Promise<CommandAnswer> {
  return answering(async () => {
    const project = (options['project'] as string | undefined) ?? env['GOOGLE_CLOUD_PROJECT'];
    if (!project) throw new CommandError('project_missing', 'no project is named');
    const wanted = verb === 'stop';
    const before = await findServices(project, String(options['prefix'] ?? 'mailgrant'), run);
    const commands = before.filter(({ stopped }) => stopped !== wanted).map((one) => switching(one, project, wanted));
    if (options['dry-run'] === true || commands.length === 0) {
      const tail = commands.length === 0 ? (wanted ? NEXT.stop : 'Nothing is stopped.') : 'Nothing was changed.';
      const lines = commands.length === 0 ? [] : [CONSEQUENCE[verb], ...commands.map(shownCommand)];
      return { data: { services: before, commands: commands.map(shownCommand) }, text: [...lines, tail].join('\n') };
    }
    if (options['yes'] !== true) await confirm(CONSEQUENCE[verb], terminal);
    else terminal.say(CONSEQUENCE[verb]);
    const statuses = await Promise.all(commands.map(async (argv) => (await run(argv, 'show')).status));
    const services = await findServices(project, String(options['prefix'] ?? 'mailgrant'), run);
    const failed = commands.filter((_, place) => statuses[place] !== 0).map(shownCommand);
    if (failed.length > 0 || services.some(({ stopped }) => stopped !== wanted)) return incomplete(services, failed, wanted);
    return { data: { services, commands: commands.map(shownCommand) }, text: NEXT[verb] };
  });
}

/** Always throws: names the functions whose switch was not set. */
function incomplete(services: readonly Service[], failed: readonly string[], wanted: boolean): never {
  const others = services.filter(({ stopped }) => stopped !== wanted).map(({ name }) => name);
  const which =
    others.length > 0 ? `still ${wanted ? 'sending' : 'stopped'}: ${others.join(', ')}` : 'a command failed, but its setting is there';
  throw new CommandError('stop_incomplete', [which, ...failed].join('\n'));
}
