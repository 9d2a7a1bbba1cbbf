import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ASSUMPTIONS, type AssumptionId, type TriedId } from '../../google/assumptions.ts';
import type { Mailbox } from '../../mail/model/config.ts';
import { toFailure } from '../../mail/model/failure.ts';
import type { Operator } from '../common/operator.ts';
import { CommandError } from '../common/refusal.ts';
import { type LiveGmail, openGmail } from './live-session.ts';
import { type KeptSession, PROBES, type ProbeContext, type ProbeResult } from './probes.ts';
import { sendToItself } from './send-to-itself.ts';

/** The result of a run, without content, addresses or secrets: it can be attached to an issue. */
export interface LiveReport {
  readonly run: string;
  readonly at: string;
  readonly mailgrant: string;
  /** The mailbox: its grant, its transport, and whether it is a gmail.com account. */
  readonly mailbox: { readonly grant: string; readonly via: string; readonly consumer: boolean; readonly canRead: boolean };
  /** The number of messages that were handed to Gmail. */
  readonly emails: number;
  readonly findings: readonly ({ readonly id: AssumptionId; readonly sentence: string } & ProbeResult)[];
}

export interface LiveOptions {
  /** Only these assumptions; all of them by default. */
  readonly only?: readonly string[];
  readonly earlier?: readonly KeptSession[];
  readonly pause?: (ms: number) => Promise<void>;
  readonly now?: () => number;
  readonly tell?: (line: string) => void;
}

/** The assumptions to try, in the order of the list; those that only read the answers of others come last. Throws CommandError. */
export function chosen(only: readonly string[] = []): readonly (typeof ASSUMPTIONS)[number][] {
  const strange = only.find((id) => !ASSUMPTIONS.some((one) => one.id === id));
  if (strange !== undefined)
    throw new CommandError('option_invalid', `--only ${strange}: no such assumption; docs/assumptions.md lists them`);
  const wanted = ASSUMPTIONS.filter(({ id }) => only.length === 0 || only.includes(id));
  return [...wanted.filter(({ id }) => !LAST.has(id)), ...wanted.filter(({ id }) => LAST.has(id))];
}

/** How long Gmail may take to finish a message whose sender has closed the connection. */
const SETTLED_MS = 3_000;

const LAST: ReadonlySet<AssumptionId> = new Set(['whole-is-answered-at-once', 'minute-quota-is-named']);

/** The most emails that a run sends. */
export const emailsOf = (list: ReturnType<typeof chosen>): number =>
  list.reduce((sum, { id }) => sum + (Object.hasOwn(PROBES, id) ? PROBES[id as TriedId].emails : 0), 0);

/** Tries each assumption on a real mailbox, by emails from it to itself. Throws MailFailure where no token can be minted. */
export async function verifyLive(
  operator: Operator,
  mailbox: Mailbox,
  version: string,
  { only, earlier = [], pause = (ms) => sleep(ms), now = Date.now, tell = () => {} }: LiveOptions = {},
): Promise<{ readonly report: LiveReport; readonly sessions: readonly KeptSession[] }> {
  const run = randomBytes(4).toString('hex');
  const sessions: KeptSession[] = [];
  let journeys = 0;
  const gmail = keeping(await openGmail(operator, mailbox, run, pause, now), sessions);
  const context: ProbeContext = {
    gmail,
    earlier,
    async loseReply() {
      journeys++;
      const content = {
        subject: `mailgrant verify-live ${run}`,
        text: 'This email was sent by `mailgrant verify-live`. It can be deleted.',
      };
      const { outcome, asked } = await sendToItself(operator, { ...mailbox, via: 'api' }, true, content, () => pause(SETTLED_MS));
      if (outcome instanceof Error) return { asked, sent: false, code: outcome.code };
      return { asked, sent: outcome.state === 'sent', code: 'failure' in outcome ? outcome.failure.code : null };
    },
  };
  const findings: LiveReport['findings'][number][] = [];
  for (const assumption of chosen(only)) {
    const { id, sentence } = assumption;
    const seen = Object.hasOwn(PROBES, id)
      ? await PROBES[id as TriedId]
          .run(context)
          .catch((error: unknown): ProbeResult => ({ verdict: 'could not be told', detail: broke(error) }))
      : ({ verdict: 'could not be told', detail: `not tried on a mailbox; ${'shown' in assumption ? assumption.shown : ''}` } as const);
    findings.push({ id, sentence, ...seen });
    tell(`${seen.verdict.padEnd(17)}  ${id}: ${seen.detail}`);
  }
  const emails = journeys + gmail.heard.filter(({ to, said }) => to === 'whole' && said.status < 300).length;
  const about = { grant: mailbox.grant, via: mailbox.via, consumer: /@(gmail|googlemail)\.com$/.test(mailbox.address) };
  const canRead = gmail.scopes.some((scope) => !scope.endsWith('/gmail.send') && /gmail|mail\.google/.test(scope));
  return {
    report: { run, at: new Date(now()).toISOString(), mailgrant: version, mailbox: { ...about, canRead }, emails, findings },
    sessions,
  };
}

/** Only our code or the system's code of an error: its message may quote content. */
function broke(error: unknown): string {
  const { code } = toFailure(error);
  if (code !== 'unexpected') return `it broke off: ${code}`;
  return `it broke off: ${error instanceof Error && error.name === 'NoReply' ? `no answer (${error.message})` : 'unexpected'}`;
}

/** The same Gmail, which records each session that made a message. */
function keeping(gmail: LiveGmail, sessions: KeptSession[]): LiveGmail {
  const send: LiveGmail['send'] = async (message) => {
    const sent = await gmail.send(message);
    if (sent && sent.said.status < 300) sessions.push({ session: sent.session, bytes: message.length, at: gmail.now() });
    return sent;
  };
  return { ...gmail, send };
}
