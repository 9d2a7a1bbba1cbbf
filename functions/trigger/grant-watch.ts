import { knownOf } from '../diagnose/known-failures.ts';
import { failureInfo, toFailure } from '../mail/model/failure.ts';
import type { Inspection } from '../mail/model/inspection.ts';
import { type Log, traceOf } from '../runtime/log.ts';
import type { Handler } from '../runtime/serve.ts';

/** What the watch needs of the edge. */
export interface Watched {
  readonly project: string;
  inspectAll(): Promise<readonly Inspection[]>;
  /** How many emails were accepted, and their message has not come in time. */
  overdue?(): Promise<number>;
  /** An address as it may stand in a log. */
  pseudonym(address: string): string;
}

/**
 * The scheduled look at every grant: one line per mailbox, which alerts go by, so that a dead grant is known before a
 * mail is lost, and one where accepted emails wait for a message that does not come. It answers 200 whatever it found: only a watch that did not take place is a failure.
 */
export function grantWatch(edge: Watched, log: Log): Handler {
  return async (req, res) => {
    try {
      const inspections = await edge.inspectAll();
      const lines = inspections.map((one) => ({ mailbox: edge.pseudonym(one.address), ok: one.ok, ...describe(one) }));
      for (const line of lines) log(line.ok ? 'INFO' : 'ERROR', 'grant', { ...line, ...traceOf(req, edge.project) });
      const overdue = (await edge.overdue?.()) ?? 0;
      if (overdue > 0) log('ERROR', 'overdue', { emails: overdue, ...traceOf(req, edge.project) });
      const body = JSON.stringify({ ok: lines.every(({ ok }) => ok), mailboxes: lines });
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) }).end(body);
    } catch (error) {
      log('ERROR', 'watch_failed', { code: toFailure(error).code });
      res.writeHead(500).end();
    }
  };
}

function describe({ findings }: Inspection): { checks: string; code?: string; cause?: string; detail?: string; fix?: string } {
  const checks = findings.map(({ check, ok }) => `${check} ${ok === null ? 'unknown' : ok ? 'ok' : 'wrong'}`).join(', ');
  const wrong = findings.find(({ ok }) => ok === false);
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
