import type { DecisionContext, DecisionOptions } from '../../functions/cli/ledger/decide.ts';
import type { Ports, QueueMessage } from '../../functions/mail/delivery/ports.ts';
import { PUBLISHER } from '../../functions/mail/model/caller.ts';
import type { Config } from '../../functions/mail/model/config.ts';
import { DELIVERIES_MAX } from '../../functions/mail/queue/retry-policy.ts';
import { CONFIG, MAIL } from '../support/stack/laptop.ts';
import { createPostOffice, type Kept } from './post-office.ts';
import type { Act, Core, Ended, Scenario, Told } from './scenario.ts';
import { createStage, type Move } from './stage.ts';

const LEASE_MS = 60_000;
const MINUTE = 60_000;
/** So often somebody asks once the tape is at its end, ten leases apart: longer than Gmail's search may take to find an email. */
const TRIES = 12;
const [CALLER = PUBLISHER] = CONFIG.keys;
const mail = (number: number, inMs: number, now: number) => ({
  ...MAIL,
  subject: `mail ${number}`,
  ...(inMs > 0 && { scheduled_at: new Date(now + inMs).toISOString() }),
});

/** Plays a scenario until all is quiet: then every message was acknowledged or buried, and every task is over. */
export async function play(scenario: Scenario, core: Core): Promise<Ended> {
  const { delivery, patient, acts, tape } = scenario;
  const stage = createStage(Date.UTC(2026, 10, 24, 8), LEASE_MS);
  const config: Config = { ...CONFIG, delivery };
  const office = createPostOffice(stage, core, scenario);
  const told: Told[] = [];
  const canceled = new Set<string>();
  const risked = new Map<string, number>();
  const released = new Map<string, number>();
  const asking = new Map<string, { tries: number; open: boolean; body: unknown; key: string }>();
  const begun = new Set<Act>();
  let repetitions = 2;
  let stormy = true;
  const entered: { act: Act; at: number }[] = [];

  const tell = (by: string, end: { value: unknown } | { error: unknown } | null): Told | null => {
    if (!end) return null;
    const { id = null, state, gmailId } = ('value' in end ? (end.value ?? {}) : {}) as { id?: string; state?: string; gmailId?: string };
    const said = 'error' in end ? (end.error instanceof core.MailFailure ? end.error.code : String(end.error)) : (state ?? 'ok');
    const one = { by, id, said, at: stage.story.length, ...(gmailId !== undefined && { gmailId }) };
    stage.story.push(`    ${by} is told: ${said}${id ? ` ${id.slice(-2)}` : ''}`);
    told.push(one);
    return one;
  };

  function ask(name: string): void {
    const one = asking.get(name);
    if (!one) return;
    Object.assign(one, { tries: one.tries + (stormy ? 0 : 1), open: true });
    const order = { body: one.body, caller: CALLER, key: one.key, retryFailed: true };
    stage.start(
      name,
      (actor) => core.accept(order, config, office.portsOf(actor)),
      (end) => {
        one.open = false;
        tell(name, end);
        const outcome = end && 'value' in end ? end.value : null;
        const failure = end && 'error' in end ? core.asFailure(end.error) : outcome && 'failure' in outcome ? outcome.failure : null;
        const settled = failure
          ? core.consequence(failure.code).retry === 'never' || core.consequence(failure.code).retry === 'person'
          : outcome !== null && outcome.state !== 'unknown';
        if (settled || !patient) asking.delete(name);
      },
    );
  }

  function deliver(kept: Kept, number: number): void {
    const { message } = kept;
    kept.deliveries++;
    kept.open++;
    const name = `message ${number}, delivery ${kept.deliveries}`;
    const key = message.attributes['mailgrantKey'] ?? `message:${number}`; // a dead letter that is put again is the delivery that it was
    const order = { body: JSON.parse(message.data), caller: PUBLISHER, key, retryFailed: false };
    stage.start(
      name,
      (actor) => core.workOff({ order, message, delivery: kept.deliveries }, config, office.portsOf(actor)),
      (end) => {
        kept.open--;
        const done = end && 'value' in end ? end.value : null;
        if (done?.acknowledged) kept.acknowledged = true;
        // It was given up before its mail was known: nothing but its dead letter, or a task, brings it back.
        const put = [...office.dead, ...[...office.tasks.values()].map((task) => task.message)];
        if (done?.acknowledged && done.failure && !put.some(({ data }) => data === message.data))
          office.wrong.push(`${name} was acknowledged, told ${done.failure.code}, and lies nowhere`);
        if (end && 'error' in end) tell(name, end);
        else if (done)
          tell(done.acknowledged ? `${name}, acknowledged` : name, done.failure ? { error: done.failure } : { value: done.outcome });
        kept.at = Math.max(kept.at, stage.clock + Math.min(600_000, 10_000 * 2 ** kept.deliveries));
        if (kept.acknowledged || kept.open > 0 || kept.deliveries < DELIVERIES_MAX) return;
        kept.acknowledged = true; // the subscription gives it up by itself
        office.dead.push(message);
      },
    );
  }

  /** A person at a terminal, who says yes to whatever is told. */
  const desk = (ports: Ports, id: string): DecisionContext => ({
    config,
    begin: () => ports,
    reader: { mailboxOf: (shown) => shown, now: stage.clock },
    mailboxOf: () => config.mailboxes[0] ?? null,
    terminal: {
      interactive: true,
      ask: async (question: string) => {
        if (/twice/.test(question)) risked.set(id, (risked.get(id) ?? 0) + 1);
        return 'y';
      },
    } as unknown as DecisionContext['terminal'],
  });

  function begin(act: Act, number: number): void {
    begun.add(act);
    const name = `${act.does} ${number + 1}`;
    if (act.does === 'publish') {
      office.publish({ data: JSON.stringify(mail(number, 0, 0)), attributes: {} });
      return;
    }
    if (act.does === 'ask') {
      asking.set(name, { tries: 0, open: false, body: mail(act.mail, act.inMs, stage.clock), key: act.key });
      ask(name);
      return;
    }
    if (act.does === 'replay') {
      replay(name);
      return;
    }
    const id = [...office.ledger.entries.keys()][act.of];
    if (id === undefined) return;
    const choice = (asks: boolean, message: unknown): DecisionOptions => ({ yes: false, dryRun: false, ask: asks, message });
    const run = async (ports: Ports): Promise<void> => {
      if (act.does === 'drop') {
        await core.dropMail(id, choice(true, null), desk(ports, id));
        return;
      }
      if (act.does === 'resend') {
        const first = acts.find((one) => one.does === 'ask');
        const message = act.withMail && first?.does === 'ask' ? mail(first.mail, 0, stage.clock) : null;
        released.set(id, stage.story.length); // also where the command ends in the middle
        await core.resend(id, choice(act.asks, message), desk(ports, id));
        released.set(id, stage.story.length);
        return;
      }
      const own = await core.ownMail(id, CALLER.id, ports);
      if (act.does === 'move') {
        const wanted = stage.clock + act.inMs;
        await core.reschedule(own, new Date(wanted).toISOString(), ports);
        const before = wanted + MINUTE; // a name that is taken is put a little later
        const comes = [...office.tasks.values()].some(({ at, message }) => message.attributes['mailgrantId'] === id && at <= before);
        const stays = wanted >= (own.entry.notBefore ?? 0); // its old message comes first, and is put off
        if (!comes && !stays && wanted > stage.clock) office.wrong.push(`${name}: no message comes at the new time of ${id}`);
        return;
      }
      await core.cancel(own, ports);
      canceled.add(id);
    };
    stage.start(
      name,
      (actor) => run(office.portsOf(actor)),
      (end) => {
        tell(name, end);
        // A person whose command ended in the middle, or came to nothing for now, enters it again.
        const passing = !end || ('error' in end && core.consequence(core.asFailure(end.error).code).retry === 'soon');
        if (act.does !== 'resend' || !passing || entered.length >= TRIES || !begun.delete(act)) return;
        entered.push({ act, at: stage.clock + 2 * LEASE_MS });
      },
    );
  }

  /** What the worker itself gave up; what the platform moved is known by nothing, and may go twice: docs/operations.md says so. */
  const replayable = (): QueueMessage | undefined => office.dead.find(({ attributes }) => attributes['reason'] !== undefined);

  function replay(name: string): void {
    const message = replayable();
    if (!message) return;
    stage.start(
      name,
      (actor) => {
        const ports = office.portsOf(actor);
        const pulled = {
          pull: async () => [],
          // Two replays may hold the same dead letter: the second acknowledgement takes nothing else away.
          acknowledge: async () => {
            const place = office.dead.indexOf(message);
            if (place >= 0) office.dead.splice(place, 1);
          },
          nack: async () => {},
        };
        const queue = ports.queue ?? { publish: async () => {} };
        return core.replay({ id: 'dead', ackId: 'dead', published: '', message }, { pulled, queue, routes: [], begin: () => ports });
      },
      (end) => void (end && 'error' in end && tell(name, end)),
    );
  }

  const at = (time: number, name: string, go: () => void): Move & { time: number } => ({
    ...{ time, name },
    go: () => {
      stage.clock = Math.max(stage.clock, time);
      go();
    },
  });
  const offers = (taped: boolean): Move[] => {
    stormy = taped;
    const timed = [
      ...office.topic.flatMap((kept, number) =>
        kept.acknowledged || kept.open > 0 ? [] : [at(kept.at, `deliver message ${number + 1}`, () => deliver(kept, number + 1))],
      ),
      ...[...office.tasks.values()].flatMap((task, number) =>
        task.over
          ? []
          : [
              at(task.at, `task ${number + 1}`, () => {
                task.over = true;
                office.publish(task.message);
              }),
            ],
      ),
      ...[...asking].flatMap(([name, { tries, open }]) =>
        open || !patient || tries >= TRIES ? [] : [at(stage.clock + 10 * LEASE_MS, `${name} once more`, () => ask(name))],
      ),
    ].sort((one, other) => one.time - other.time);
    const twice = office.topic.flatMap((kept, number) =>
      !stormy || repetitions === 0 || kept.deliveries === 0 || kept.deliveries === DELIVERIES_MAX
        ? []
        : [
            at(0, `deliver message ${number + 1} twice`, () => {
              repetitions--;
              kept.acknowledged = false; // the platform has lost the acknowledgement
              deliver(kept, number + 1);
            }),
          ],
    );
    const starts = acts.flatMap((act, number) =>
      begun.has(act) || (act.does === 'replay' && !replayable())
        ? []
        : [at(entered.findLast((one) => one.act === act)?.at ?? 0, `begin ${act.does} ${number + 1}`, () => begin(act, number))],
    );
    return [...starts, ...timed, ...twice];
  };
  await stage.play(tape, offers, tape.length + 2_000);
  return { scenario, stage, office, told, canceled, risked, released, unanswered: [...asking.keys()] };
}
