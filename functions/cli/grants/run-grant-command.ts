import { answering } from '../common/answering.ts';
import type { Answer } from '../common/command.ts';
import { CommandError, commandErrorText } from '../common/refusal.ts';
import { processTerminal, type Terminal } from '../common/terminal.ts';
import { authorize, authorizedText, type ConsentOptions, planConsent, planText } from './authorize.ts';
import { clientFor, type Env, type Options, setUp } from './grant-setup.ts';
import { revoke, revokeText } from './revoke.ts';
import { type Rotated, rotate, rotatedText } from './rotate.ts';

/** `authorize`, `rotate` and `revoke`: what was done or refused, as data and as text. */
export function runGrantCommand(
  verb: 'authorize' | 'rotate' | 'revoke',
  options: Options,
  words: readonly string[],
  env: Env,
  terminal: Terminal = processTerminal(env),
): Promise<Answer> {
  return answering(async () => {
    const way = verb === 'revoke' ? null : wayFrom(options);
    const setup = await setUp(options, words, env, terminal);
    const dryRun = options['dry-run'] === true;
    if (!way) {
      const data = await revoke(setup, { yes: options['yes'] === true, dryRun });
      return { data, text: revokeText(data) };
    }
    const client = await clientFor(options, setup);
    if (dryRun) {
      const data = await planConsent(setup, client);
      return { data, text: planText(data) };
    }
    const data = await (verb === 'rotate' ? rotate(setup, client, way(), options['end-others'] === true) : authorize(setup, client, way()));
    if (!data.ok)
      return { data, text: commandErrorText(data), exitCode: 1, error: { code: data.code, message: data.detail, fix: data.fix } };
    const text = authorizedText(data, setup.now());
    return { data, text: 'disabled' in data ? `${text}\n${rotatedText(data as Rotated)}` : text };
  });
}

/** The patience begins when it is called, not when the options are read. */
function wayFrom(options: Options): () => ConsentOptions {
  const seconds = Number(options['timeout'] ?? 300);
  if (!(seconds > 0 && seconds <= 86_400)) throw new CommandError('option_invalid', '--timeout: expected seconds, up to a day');
  return () => ({ browser: options['no-browser'] !== true, timeoutMs: AbortSignal.timeout(seconds * 1_000) });
}
