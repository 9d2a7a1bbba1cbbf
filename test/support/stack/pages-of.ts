import type { Running } from '../../../functions/fake-google/http/server.ts';
import { createLines } from '../../../functions/pages/parts/log-lines.ts';
import { startPages } from '../../../functions/pages/server.ts';
import { CONFIG, KEY, type Laptop } from './laptop.ts';

/** The pages of a laptop, as `npm start` serves them; what its functions log reaches the log of the pages by `say`. */
export async function startPagesOf({ google, api }: Laptop, config = CONFIG, hooks: string | null = null) {
  const lines = createLines();
  const pages = await startPages({ google, config, key: KEY, urls: { api, hooks }, lines });
  return Object.assign(pages, { say: lines.add });
}

/** Posts a form to a page as a browser without a script would, and does not follow. */
export const formTo = (pages: Running, path: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(pages.url + path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
