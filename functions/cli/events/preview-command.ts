import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openBrowser, openerFor } from '../common/browser.ts';
import type { CommandOptions, Leaf } from '../common/command.ts';
import { CommandError } from '../common/refusal.ts';
import { previewPage } from './preview-page.ts';
import { routeFailed } from './test-route-command.ts';
import { EVENT_OPTIONS, tryRoute } from './try-route.ts';

const FOLDER = '.mailgrant/preview';

/** `preview ROUTE --event FILE`: shows the email of an event. */
export const PREVIEW: Leaf = {
  summary: 'render the email of an event to a file, and show it in the browser',
  arguments: '<ROUTE>',
  options: {
    ...EVENT_OPTIONS,
    digest: { value: 'COUNT', about: "show the digest that sums up so many events in place of the event's own email" },
    out: { value: 'DIR', about: `where it is written, as ROUTE.html and ROUTE.txt, with the page around it (${FOLDER})` },
    'no-open': { about: 'write the files only' },
  },
  examples: ['preview failed-builds --event event.json', 'preview failed-builds --event event.json --digest 12 --no-open'],
  async run(options, route = '') {
    try {
      const { match, mail } = await tryRoute(route, options, { always: true, digest: digestOf(options) });
      if (!mail) throw new Error('there is no email to show');
      const folder = resolve(String(options['out'] ?? FOLDER));
      const files = {
        mail: join(folder, `${route}.html`),
        text: join(folder, `${route}.txt`),
        page: join(folder, `${route}.preview.html`),
      };
      mkdirSync(folder, { recursive: true });
      writeFileSync(files.mail, mail.html);
      writeFileSync(files.text, `${mail.text}\n`);
      writeFileSync(files.page, previewPage(route, match, mail));
      const url = pathToFileURL(files.page).href;
      const opened = !options['no-open'] && (await open(url));
      const where = opened ? 'It is open in the browser.' : `Open ${url}`;
      const note = match ? '' : '\nThe route does not want this event: it would send nothing.';
      return { data: { route, match, ...files, opened }, text: `${files.mail}\n${files.text}\n${where}${note}` };
    } catch (error) {
      return routeFailed(route, error, options);
    }
  },
};

/** If the opener still runs after a second, the browser shows the page. */
function open(url: string): Promise<boolean> {
  const timeout = new Promise<boolean>((done) => setTimeout(() => done(true), 1_000));
  return Promise.race([openBrowser(openerFor(url, process.platform, process.env['BROWSER'])), timeout]);
}

function digestOf({ digest }: CommandOptions) {
  if (digest === undefined) return null;
  const now = Date.now();
  const count = Number(digest);
  if (!Number.isInteger(count) || count < 1) throw new CommandError('option_invalid', '--digest: expected how many events');
  return { count, first: now - 3_500_000, last: now - 60_000, from: now - 3_600_000, until: now, sample: 'The subject of one of them' };
}
