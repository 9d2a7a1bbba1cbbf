import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';

/** The app: a form that signs up, an email with a link, and the page behind the link. */
export function startApp({ url, key, from }) {
  const waiting = new Map();
  const page = (res, text, status = 200) =>
    res.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(`<!doctype html><title>Shop</title><h1>${text}</h1>`);
  const server = createServer(async (req, res) => {
    const base = `http://${req.headers.host}`;
    const { pathname } = new URL(req.url, base);
    if (req.method === 'POST') {
      const form = new URLSearchParams(Buffer.concat(await req.toArray()).toString());
      const token = randomUUID();
      waiting.set(token, form.get('email'));
      const sent = await fetch(`${url}/emails`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ from, to: form.get('email'), subject: 'Confirm', html: `<a href="${base}/confirm/${token}">Confirm</a>` }),
      });
      return page(res, sent.ok ? 'Look into your inbox' : 'Try again later', sent.ok ? 200 : 503);
    }
    if (pathname.startsWith('/confirm/')) return page(res, waiting.has(pathname.slice(9)) ? 'Confirmed' : 'Unknown link');
    return page(res, '<form method="post"><label>Email <input name="email" type="email"></label><button>Sign up</button></form>');
  });
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () => done({ url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() })),
  );
}
