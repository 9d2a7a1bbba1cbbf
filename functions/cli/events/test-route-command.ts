import { failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { CommandAnswer, CommandOptions, Leaf } from '../common/command.ts';
import { EVENT_OPTIONS, emailHeadOf, hintOf, type Mail, tryRoute } from './try-route.ts';

/** `test-route ROUTE --event FILE`: shows what a route does with an event. */
export const TEST_ROUTE: Leaf = {
  summary: 'say whether a route wants an event, and show the email; nothing is sent',
  arguments: '<ROUTE>',
  options: EVENT_OPTIONS,
  examples: ['test-route failed-builds --event event.json', 'test-route releases --event release.json --attribute x-github-event=release'],
  notes: 'Exit code 0 for a match and for no match, 1 where the functions would record a failure.',
  async run(options, route = '') {
    try {
      const tried = await tryRoute(route, options);
      const alike = tried.dedupe === null ? '' : ` Events alike are known by: ${tried.dedupe}`;
      const text = tried.mail ? `${route}: match.${alike}\n\n${shown(tried.mail)}` : `${route}: no match. Nothing would be sent.`;
      return { data: tried, text };
    } catch (error) {
      return routeFailed(route, error, options);
    }
  },
};

/** The failure that the functions would record for the event; any other error is rethrown. */
export function routeFailed(route: string, error: unknown, options: CommandOptions): CommandAnswer {
  if (!(error instanceof MailFailure)) throw error;
  const { code, message } = toFailure(error);
  const fix = hintOf(options, message) ?? failureInfo(code).fix;
  return {
    data: { route, code, detail: message, fix },
    text: `${route}: ${code}\n${message}\n${fix}`,
    exitCode: 1,
    error: { code, message, fix },
  };
}

const shown = (mail: Mail): string =>
  emailHeadOf(mail)
    .map(([name, value]) => `${name}: ${value}`)
    .concat('', mail.text)
    .join('\n');
