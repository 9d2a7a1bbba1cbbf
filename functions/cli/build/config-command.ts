import { compileConfig } from '../../config/compile-config.ts';
import { warningsOf } from '../../config/config-warnings.ts';
import { ENV, type Leaf } from '../common/command.ts';
import { configFile } from '../common/project-folder.ts';

/** `config`: checks the configuration and prints a summary. */
export const CONFIG_CHECK: Leaf = {
  summary: 'check the config and show what it comes to',
  options: ENV,
  examples: ['config', 'config --config config/mailgrant.yaml --json'],
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
    const warnings = warningsOf(data);
    return {
      data: warnings.length > 0 ? { ...data, warnings } : data,
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
