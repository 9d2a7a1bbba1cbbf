import { normaliseAddress } from '../../mail/model/address.ts';
import { failureInfo, MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { BounceFinder, FunctionContext } from '../../runtime/function-context.ts';
import { type Log, traceOf } from '../../runtime/log.ts';
import type { Handler } from '../../runtime/serve.ts';
import { contentTypeOf, readBody } from '../common/body.ts';
import { parseJson } from '../common/json.ts';
import { pathOf } from '../common/paths.ts';
import { reportRefusal } from '../common/report.ts';
import { checkAudience, readEventDelivery } from '../pubsub/push-envelope.ts';

type Worker = FunctionContext & { bounces(): BounceFinder; pseudonym(address: string): string };

/**
 * `POST /inbox`: Gmail's notification that a mailbox has changed, by Pub/Sub; the mailbox is looked through for bounces. 204
 * acknowledges, also what no later delivery can change; after any other status Pub/Sub delivers it again. `POST /inbox/sweep`: all
 * mailboxes, since notifications may be lost.
 */
export function inboxHandler(context: Worker, log: Log): Handler {
  return async (req, res) => {
    const facts = traceOf(req, context.project) as Record<string, string>;
    try {
      if (req.method !== 'POST') return void res.writeHead(405, { allow: 'POST' }).end();
      checkAudience(req.headers.authorization, context.pushAudience);
      const watched = context.config.mailboxes.filter(({ bounces }) => bounces);
      if (pathOf(req.url) === '/inbox/sweep') {
        const swept = await lookThrough(
          watched.map((mailbox) => ({ mailbox, notified: null })),
          context,
          log,
          facts,
        );
        return void res.writeHead(swept ? 204 : 500).end();
      }
      const { data } = readEventDelivery(req.headers, contentTypeOf(req), parseJson(await readBody(req)));
      const told = readNotification(data);
      const mailbox = watched.find(({ address }) => address === told.address);
      if (!mailbox) {
        // A mailbox that was taken out of the config is reported until its watch runs out.
        log('INFO', 'inbox', { mailbox: context.pseudonym(told.address), outcome: 'unknown_mailbox', ...facts });
        return void res.writeHead(204).end();
      }
      const done = await lookThrough([{ mailbox, notified: told.historyId }], context, log, facts);
      res.writeHead(done ? 204 : 503).end();
    } catch (error) {
      const failure = toFailure(error);
      reportRefusal(log, failure, facts);
      res.writeHead(failureInfo(failure.code).retry === 'never' ? 400 : 503).end();
    }
  };
}

interface Looked {
  readonly mailbox: Worker['config']['mailboxes'][number];
  readonly notified: string | null;
}

/** Looks through each of them; false where that may work another time. */
async function lookThrough(all: readonly Looked[], context: Worker, log: Log, facts: Record<string, string>): Promise<boolean> {
  const finder = context.bounces();
  let fine = true;
  try {
    for (const { mailbox, notified } of all) {
      const about = { mailbox: context.pseudonym(mailbox.address) };
      try {
        const found = await finder.find(mailbox, notified, (bounce) => log('INFO', 'bounce', { ...bounce, ...about, ...facts }));
        log(found.gap || found.unreadable ? 'WARNING' : 'INFO', 'inbox', { ...about, ...found, ...facts });
      } catch (error) {
        const { code, message } = toFailure(error);
        log('ERROR', 'inbox', { ...about, code, detail: message, fix: failureInfo(code).fix, ...facts });
        if (failureInfo(code).retry !== 'never') fine = false;
      }
    }
    return fine;
  } finally {
    finder.close();
  }
}

/** `{"emailAddress": …, "historyId": …}`; Gmail writes the id as a number or as a text. Throws MailFailure: event_unreadable. */
export function readNotification(data: unknown): { readonly address: string; readonly historyId: string } {
  const { emailAddress, historyId } = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const id = typeof historyId === 'number' && Number.isSafeInteger(historyId) ? String(historyId) : historyId;
  if (typeof emailAddress !== 'string' || typeof id !== 'string' || !/^\d{1,20}$/.test(id))
    throw new MailFailure('event_unreadable', 'the message is no notification of Gmail’s');
  return { address: normaliseAddress(emailAddress), historyId: id };
}
