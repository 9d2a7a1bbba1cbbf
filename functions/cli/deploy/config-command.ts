import { compileConfig } from '../../config/compile-config.ts';
import { CONFIG, type Command } from '../common/command.ts';

/** `config`: what config/mailgrant.yaml comes to. */
export const CONFIG_CHECK: Command = {
  summary: 'check config/mailgrant.yaml and show what it comes to',
  help: `  --config FILE  config to check (${CONFIG})\n  --json`,
  options: {},
  async run(options) {
    const file = String(options['config'] ?? CONFIG);
    const { config: data } = compileConfig(file);
    const boxes = data.mailboxes.map(
      ({ address, secret, aliases }) => `  ${address}  secret ${secret}${aliases.length > 0 ? `  aliases ${aliases.join(', ')}` : ''}`,
    );
    const keys = data.keys.map(({ id, from, to }) => `  ${id}  from ${from?.join(', ') ?? 'everyone'}${to ? `  to ${to.join(', ')}` : ''}`);
    const routes = (data.routes ?? []).map(
      ({ name, topic, hook, template, to }) =>
        `  ${name}  ${topic ? `topic ${topic}` : `hook ${hook?.verify}`}  template ${template}  to ${to.join(', ')}`,
    );
    return {
      data,
      text: [
        `${file} is valid.`,
        'Mailboxes:',
        ...boxes,
        keys.length > 0 ? 'Keys:' : 'No API keys.',
        ...keys,
        ...(routes.length > 0 ? ['Routes:', ...routes] : []),
      ].join('\n'),
    };
  },
};
