import { answering } from '../common/answering.ts';
import type { CommandAnswer } from '../common/command.ts';
import { CommandError, commandErrorText } from '../common/refusal.ts';
import { processTerminal, type Terminal } from '../common/terminal.ts';
import { authorize, authorizedText, type ConsentOptions, planConsent, planText } from './authorize.ts';
import { clientFor, type Env, type GrantOptions, setUp } from './grant-setup.ts';
import { revoke, revokeText } from './revoke.ts';
import { type Rotated, rotate, rotatedText } from './rotate.ts';

/** Runs `authorize`, `rotate` or `revoke`: the result as data and as text. */
export function runGrantCommand(
  verb: 'authorize' | 'rotate' | 'revoke',
  options: GrantOptions,
  words: readonly string[],
  env: Env,
  terminal: Terminal = processTerminal(env),
): Promise<CommandAnswer> {
  return answering(async () => {
    const way = verb === 'revoke' ? null : wayFrom(options);
    using interrupt = onInterrupt();
    const setup = { ...(await setUp(options, words, env, terminal)), interrupt: interrupt.signal };
    const dryRun = options['dry-run'] === true;
    if (!way) {
      const data = await revoke(setup, { yes: options['yes'] === true, dryRun, all: options['all'] === true });
      return { data, text: revokeText(data) };
    }
    const client = await clientFor(options, setup);
    if (dryRun) {
      const data = await planConsent(setup, client);
      return { data, text: planText(data) };
    }
    const data = await (verb === 'rotate' ? rotate(setup, client, way(), othersFrom(options)) : authorize(setup, client, way()));
    if (!data.ok)
      return { data, text: commandErrorText(data), exitCode: 1, error: { code: data.code, message: data.detail, fix: data.fix } };
    const text = authorizedText(data, setup.now());
    return { data, text: 'disabled' in data ? `${text}\n${rotatedText(data as Rotated)}` : text };
  });
}

/** null where neither option is given: then the person is asked, if there is a grant of another client. */
function othersFrom(options: GrantOptions): boolean | null {
  if (options['end-others'] === true && options['keep-others'] === true)
    throw new CommandError('option_invalid', '--end-others and --keep-others exclude each other');
  return options['end-others'] === true ? true : options['keep-others'] === true ? false : null;
}

/** The timeout begins when it is called, not when the options are read. */
function wayFrom(options: GrantOptions): () => ConsentOptions {
  const seconds = Number(options['timeout'] ?? 300);
  if (!(seconds > 0 && seconds <= 86_400)) throw new CommandError('option_invalid', '--timeout: expected seconds, up to a day');
  return () => ({ browser: options['no-browser'] !== true, timeoutMs: AbortSignal.timeout(seconds * 1_000) });
}

/** The first Ctrl-C stops the run where that leaves nothing half done; the second ends the process. */
function onInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new CommandError('interrupted', 'stopped by Ctrl-C'));
  process.once('SIGINT', stop);
  return { signal: controller.signal, [Symbol.dispose]: () => void process.off('SIGINT', stop) };
}
