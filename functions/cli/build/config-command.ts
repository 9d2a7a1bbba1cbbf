import { compileConfig } from '../../config/compile-config.ts';
import { warningsOf } from '../../config/config-warnings.ts';
import { type CommandOptions, DATABASE, ENV, type Leaf, PROJECT_OPTION } from '../common/command.ts';
import { operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { laptopVariables, meansLaptop } from '../common/running-laptop.ts';

/** `config`: checks the configuration and prints a summary. */
export const CONFIG_CHECK: Leaf = {
  summary: 'check the config and show what it comes to',
  options: { ...ENV, ...PROJECT_OPTION, ...DATABASE },
  examples: ['config', 'config --config config/mailgrant.yaml --json', 'config --project your-project'],
  notes: 'With --project, or where a local stack runs, it also counts the emails that wait there and that this config would refuse.',
  async run(options) {
    const file = configFile(options);
    const { config: data } = compileConfig(file);
    const boxes = data.mailboxes.map(
      ({ address, secret, aliases, grant, delegate }) =>
        `  ${address}  ${grant === 'delegation' ? `delegate ${delegate}` : `secret ${secret}`}${aliases.length > 0 ? `  aliases ${aliases.join(', ')}` : ''}`,
    );
    const keys = data.keys.map(({ id, from, to }) => `  ${id}  from ${from?.join(', ') ?? 'everyone'}${to ? `  to ${to.join(', ')}` : ''}`);
    const routes = (data.routes ?? []).map(
      ({ name, topic, hook, template, to }) =>
        `  ${name}  ${topic ? `topic ${topic}` : `hook ${hook?.verify}`}  template ${template}  to ${to.join(', ')}`,
    );
    const waiting = await refusedThere(file, options);
    const warnings = [...warningsOf(data, Date.now()), ...waiting.warnings];
    return {
      data: { ...data, ...(warnings.length > 0 && { warnings }), ...(waiting.refused.length > 0 && { refused: waiting.refused }) },
      text: [
        `${file} is valid.`,
        'Mailboxes:',
        ...boxes,
        keys.length > 0 ? 'Keys:' : 'No API keys.',
        ...keys,
        ...(routes.length > 0 ? ['Routes:', ...routes] : []),
        ...(warnings.length > 0 ? ['Warnings:', ...warnings.map((one) => `  ${one}`)] : []),
      ].join('\n'),
    };
  },
};

/** Asks the ledger that is named, or that of a running local stack; no other: a check of the config works without a network. */
async function refusedThere(file: string, options: CommandOptions) {
  const project = options['project'] as string | undefined;
  const laptop = meansLaptop(false, project, process.env) ? laptopVariables() : null;
  if (project === undefined && laptop === null) return { refused: [], warnings: [] };
  const { warnOfRefused } = await import('../ledger/refused-by-config.ts');
  const database = options['database'] === undefined ? {} : { MAILGRANT_DATABASE: String(options['database']) };
  const operator = operatorFor(file, project, { ...process.env, ...laptop, ...database });
  return warnOfRefused(operator, operator.settings.config);
}
