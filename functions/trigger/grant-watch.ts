import { knownOf } from '../diagnose/known-failures.ts';
import { failureInfo, toFailure } from '../mail/model/failure.ts';
import { type Finding, type Inspection, inspectionOf } from '../mail/model/inspection.ts';
import { type Log, traceOf } from '../runtime/log.ts';
import type { Handler } from '../runtime/serve.ts';

/** What the scheduled grant check needs from the function context. */
export interface Watched {
  readonly project: string;
  inspectAll(): Promise<readonly Inspection[]>;
  /** How many accepted emails are overdue: their queue message did not arrive in time. */
  overdue?(): Promise<number>;
  /** The hash of an address for logs. */
  pseudonym(address: string): string;
}

/**
 * The scheduled check of every grant. It logs one line per mailbox, so that an alert reports a dead grant before an email fails,
 * one more where its bounces cannot be found, and one line if accepted emails are overdue. It answers 200 whatever it finds; 500 means that the check itself did not run.
 */
export function grantWatch(context: Watched, log: Log): Handler {
  return async (req, res) => {
    try {
      const inspections = await context.inspectAll();
      const lines = inspections.map((one) => ({ mailbox: context.pseudonym(one.address), ok: one.ok, ...describe(one) }));
      for (const one of inspections) {
        const mailbox = context.pseudonym(one.address);
        const [unseen, sending] = [isAboutBounces, (finding: Finding) => !isAboutBounces(finding)].map((some) => one.findings.filter(some));
        const sends = inspectionOf(one.address, sending ?? []);
        log(sends.ok ? 'INFO' : 'ERROR', 'grant', { mailbox, ok: sends.ok, ...describe(one, sends), ...traceOf(req, context.project) });
        const blind = inspectionOf(one.address, unseen ?? []);
        if (!blind.ok) log('ERROR', 'bounces', { mailbox, ...describe(one, blind), ...traceOf(req, context.project) });
      }
      const overdue = (await context.overdue?.()) ?? 0;
      if (overdue > 0) log('ERROR', 'overdue', { emails: overdue, ...traceOf(req, context.project) });
      const body = JSON.stringify({ ok: lines.every(({ ok }) => ok), mailboxes: lines });
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) }).end(body);
    } catch (error) {
      log('ERROR', 'watch_failed', { code: toFailure(error).code });
      res.writeHead(500).end();
    }
  };
}

const isAboutBounces = ({ check }: Finding): boolean => check === 'bounces';

/** All checks, and of those in question the first that is wrong. */
function describe(
  { findings }: Inspection,
  asked: Pick<Inspection, 'findings'> = { findings },
): { checks: string; code?: string; cause?: string; detail?: string; fix?: string } {
  const checks = findings.map(({ check, ok }) => `${check} ${ok === null ? 'unknown' : ok ? 'ok' : 'wrong'}`).join(', ');
  const wrong = asked.findings.find(({ ok }) => ok === false);
  return {
    checks,
    ...(wrong?.code && {
      code: wrong.code,
      cause: knownOf(wrong.code).cause ?? wrong.code,
      detail: wrong.detail,
      fix: failureInfo(wrong.code).fix,
    }),
  };
}
