import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../google/connect.ts';
import { accept } from '../../mail/accept.ts';
import type { State } from '../../mail/delivery/ledger.ts';
import { PUBLISHER } from '../../mail/model/caller.ts';
import { type FailureCode, failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import { type Leaf, PROJECT_OPTION } from '../common/command.ts';
import { deployedEnv, type Operator, operatorFor } from '../common/operator.ts';
import { configFile } from '../common/project-folder.ts';
import { CommandError, commandErrorReport } from '../common/refusal.ts';
import { openSecretStore } from '../common/secret-store.ts';

/** What happened to the email; `state` is the ledger's, `code` and `fix` say why it is not `sent`. */
export interface Smoked {
  readonly ok: boolean;
  readonly mailbox: string;
  readonly id: string | null;
  /** `not looked`: whether the mailbox has a grant could not be determined, so nothing was sent. */
  readonly state: State | 'refused' | 'not looked';
  readonly seconds: number;
  readonly code?: string;
  readonly fix?: string;
}

const ENDED: ReadonlySet<State> = new Set(['sent', 'failed', 'canceled', 'parked']);
const LOOK_EVERY_MS = 1_000;
const NOT_TAKEN =
  'Nothing took it from the queue in time. Read the log of the function worker; the alerts of infra/ name the usual causes.';

/**
 * Puts an email from a mailbox to itself into the queue, as any caller would, and reads the ledger until the email has ended.
 * This proves queue, worker, grant and Gmail at once, and the operator needs neither the grant nor a key.
 */
export async function smoke(operator: Operator, mailbox: string, timeoutMs: number): Promise<Smoked> {
  const { settings, identity } = operator;
  const began = Date.now();
  const seconds = (): number => Math.round((Date.now() - began) / 1_000);
  const ports = connect(settings, () => {}, identity).startInvocation();
  const stamp = new Date(began).toISOString();
  const body = {
    from: mailbox,
    to: mailbox,
    subject: `mailgrant works (${stamp})`,
    text: `Sent by \`mailgrant smoke\` through the queue, at ${stamp}.`,
  };
  const order = { body, caller: PUBLISHER, key: null, retryFailed: false };
  try {
    if (!(await hasGrant(operator, mailbox))) throw new MailFailure('grant_missing', 'nobody has consented yet');
    const { id } = await accept(order, { ...settings.config, delivery: 'queued' }, ports);
    for (;;) {
      const entry = (await ports.ledger.read(id))?.entry;
      const state = entry?.state ?? 'queued';
      const late = Date.now() - began > timeoutMs;
      if (!ENDED.has(state) && !late) {
        await sleep(LOOK_EVERY_MS);
        continue;
      }
      const code = entry?.code as FailureCode | null | undefined;
      const why = state === 'sent' ? {} : code ? { code, fix: failureInfo(code).fix } : { fix: NOT_TAKEN };
      return { ok: state === 'sent', mailbox, id, state, seconds: seconds(), ...why };
    }
  } catch (error) {
    if (error instanceof NotLooked) return { ok: false, mailbox, id: null, state: 'not looked', seconds: seconds(), ...error.why };
    const { code } = toFailure(error);
    return { ok: false, mailbox, id: null, state: 'refused', seconds: seconds(), code, fix: failureInfo(code).fix };
  } finally {
    ports.close();
  }
}

/**
 * Whether the mailbox has a grant: without one, the email would become a dead letter and raise an alert, although the deployment
 * is fine. Throws NotLooked where that cannot be determined, so that nothing is sent on a guess.
 */
async function hasGrant(operator: Operator, address: string): Promise<boolean> {
  const mailbox = operator.settings.config.mailboxes.find((one) => one.address === address);
  if (!mailbox || mailbox.grant === 'delegation') return true;
  try {
    const store = await openSecretStore(operator);
    return (await store.enabled(mailbox.secret)).length > 0;
  } catch (error) {
    const { code, fix } = commandErrorReport(error);
    throw new NotLooked({ code, fix: `Whether ${address} has a grant could not be told, so nothing was sent. ${fix}` });
  }
}

class NotLooked extends Error {
  readonly why: { readonly code: string; readonly fix: string };
  constructor(why: NotLooked['why']) {
    super(why.code);
    this.why = why;
  }
}

export const smokeText = ({ ok, mailbox, id, state, seconds, code, fix }: Smoked): string =>
  ok
    ? `Sent: an email from ${mailbox} to itself went through queue, worker and Gmail in ${seconds} s (id ${id}).`
    : [`Not sent: ${code ?? state} after ${seconds} s${id ? ` (id ${id}, ${state})` : ''}.`, `Fix: ${fix}`].join('\n');

/** `smoke [ADDRESS]`: proves that a deployment sends. */
export const SMOKE: Leaf = {
  summary: 'send one email from a mailbox to itself through a deployment, and follow it to its end',
  arguments: '[ADDRESS]',
  options: {
    ...PROJECT_OPTION,
    prefix: { value: 'NAME', about: 'name_prefix of infra/ (mailgrant); MAILGRANT_TOPIC and MAILGRANT_DATABASE say it more exactly' },
    timeout: { value: 'SECONDS', about: 'how long to follow it (120)' },
    'dry-run': { about: 'say what would be sent' },
  },
  examples: ['smoke --project your-project', 'smoke notices@example.com --project your-project --timeout 300'],
  notes: 'ADDRESS is the mailbox, by default the first of the config.',
  async run(options, address) {
    const seconds = Number(options['timeout'] ?? 120);
    if (!(seconds > 0 && seconds <= 3_600)) throw new CommandError('option_invalid', '--timeout: expected seconds, up to an hour');
    const project = options['project'] as string | undefined;
    const env = deployedEnv(process.env, project, options['prefix'] as string | undefined);
    const operator = operatorFor(configFile(options), project, env);
    const mailbox = (address ?? operator.settings.config.mailboxes[0]?.address ?? '').toLowerCase();
    const topic = String(operator.settings.topic);
    if (options['dry-run'])
      return { data: { mailbox, topic }, text: `Would put an email from ${mailbox} to itself into ${topic}. Nothing was sent.` };
    const data = await smoke(operator, mailbox, seconds * 1_000);
    if (data.ok) return { data, text: smokeText(data) };
    const error = { code: data.code ?? 'not_sent', message: `the email is ${data.state}`, fix: data.fix ?? null };
    return { data, text: smokeText(data), exitCode: 1, error };
  },
};
