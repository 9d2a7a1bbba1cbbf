import type { ServerResponse } from 'node:http';
import type { FakeReply } from '../../fake-google/http/server.ts';
import type { PageContext } from '../parts/context.ts';
import { textOf } from '../parts/html.ts';
import { lineItem } from './log.ts';

const PAUSE_MS = 60; // changes come in groups: one notification for all of them

/** `GET /live`: server-sent events. `change` says that a page may look different now; `line` is one line of the log, as html. */
export function liveStream({ inbox, lines }: PageContext): FakeReply {
  const stream = (res: ServerResponse): void => {
    const send = (event: string, data: string): void => void res.write(`event: ${event}\n${data.replace(/^/gm, 'data: ')}\n\n`);
    let waiting: NodeJS.Timeout | null = null;
    const changed = (): void => {
      waiting ??= setTimeout(() => {
        waiting = null;
        send('change', '');
      }, PAUSE_MS);
    };
    const endings = [
      inbox.watch(changed),
      lines.watch((line) => {
        send('line', textOf(lineItem(line)));
        changed();
      }),
    ];
    res.once('close', () => {
      for (const end of endings) end();
      if (waiting) clearTimeout(waiting);
    });
    res.write('retry: 1000\n\n');
  };
  return { status: 200, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }, stream };
}
