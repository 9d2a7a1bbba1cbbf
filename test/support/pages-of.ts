import type { Running } from '../../functions/local/http.ts';
import { createLines } from '../../functions/pages/lines.ts';
import { startPages } from '../../functions/pages/start.ts';
import { CONFIG, KEY, type Laptop } from './laptop.ts';

/** The pages of a laptop, as `npm start` serves them. */
export function startPagesOf({ google, api, worker }: Laptop, config = CONFIG): Promise<Running> {
  return startPages({ google, config, key: KEY, urls: { api, worker }, lines: createLines() });
}

/** Posts a form to a page as a browser without a script would, and does not follow. */
export const formTo = (pages: Running, path: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(pages.url + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
