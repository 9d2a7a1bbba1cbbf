/** Keeps a page as the server would render it now, and sends its forms without leaving it. Every page works without. */

/** Makes `now` equal to `next` and keeps every node that stays: with it focus, scroll position and open details. */
function morph(now, next) {
  if (now.isEqualNode(next)) return;
  if (now.nodeName !== next.nodeName || now.nodeType !== Node.ELEMENT_NODE) return now.replaceWith(next);
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name) && name !== 'open') now.removeAttribute(name);
  for (const { name, value } of [...next.attributes]) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  if (now.type === 'radio') now.checked = next.checked;
  let at = now.firstChild;
  for (const child of [...next.childNodes]) {
    const same = child.id ? [...now.children].find(({ id }) => id === child.id) : at && !at.id && at;
    if (same && same === at) {
      at = at.nextSibling;
      morph(same, child);
    } else if (same) {
      now.insertBefore(same, at);
      morph(same, child);
    } else now.insertBefore(child, at);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

/** Takes over the parts of the page that may have changed; answers come in only after a form was sent. */
function show(text, parts) {
  const next = new DOMParser().parseFromString(text, 'text/html');
  for (const part of document.querySelectorAll(parts)) {
    const other = next.getElementById(part.id);
    if (other) morph(part, other);
  }
  return next;
}

let reading = false;
let again = false;
async function refresh() {
  again = true;
  if (reading) return;
  reading = true;
  while (again) {
    again = false;
    const reply = await fetch(location.href).catch(() => null);
    if (reply?.ok) show(await reply.text(), '[data-live]');
  }
  reading = false;
}

/** Told of each new line of the functions. */
let tellLine = () => {};
let news = null;
let ended = false;

function listen() {
  news = new EventSource('/live');
  news.addEventListener('change', refresh);
  news.addEventListener('line', (event) => tellLine(event));
  news.addEventListener('error', () => {
    ended = true;
    document.getElementById('now').textContent = 'The stack has ended. This page goes on when it is back.';
  });
  news.addEventListener('open', () => {
    if (ended) void refresh();
    ended = false;
  });
}

// A browser has six connections for all tabs of a server: only who is looked at keeps one.
document.addEventListener('visibilitychange', () => {
  news?.close();
  if (document.hidden) return;
  listen();
  void (document.getElementById('log') ? location.reload() : refresh());
});
listen();

/** The forms whose answer is awaited, each with what is to be sent after it. */
const sending = new Map();

async function send(form, data) {
  // A switch may be moved on before its answer is here; a mail is not sent twice by a second click.
  if (sending.has(form)) return 'atOnce' in form.dataset && sending.set(form, data);
  form.setAttribute('aria-busy', 'true');
  let reply = null;
  for (let next = data; next; next = sending.get(form)) {
    sending.set(form, null);
    reply = await fetch(form.action, { method: 'POST', body: next }).catch(() => null);
  }
  sending.delete(form);
  form.removeAttribute('aria-busy');
  if (!reply) return;
  const next = show(await reply.text(), '[data-live], [data-answer]');
  const [key, other] = [document.getElementById('key'), next.getElementById('key')];
  if (key && other) key.value = other.value;
  const answer = document.querySelector('[data-answer]');
  if (answer?.hasChildNodes() && !('atOnce' in form.dataset)) answer.focus();
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!('quiet' in form.dataset)) return;
  event.preventDefault();
  void send(form, new FormData(form, event.submitter));
});

// The laptop answers within a double click: its second half would be another mail, under the next key.
document.addEventListener('click', (event) => {
  if (event.detail > 1 && event.target.closest('form[data-quiet] button')) event.preventDefault();
});

document.addEventListener('change', ({ target }) => {
  if (target.form && 'atOnce' in target.form.dataset) target.form.requestSubmit();
});

// Another mail is not the one that was asked for under this key.
document.getElementById('write')?.addEventListener('input', ({ target }) => {
  if (target.id !== 'key') document.getElementById('key').value = crypto.randomUUID();
});

const log = document.getElementById('log');
if (log) {
  const [filter, text, bad, google] = ['filter', 'filter-text', 'filter-bad', 'filter-google'].map((id) => document.getElementById(id));
  const sift = (line) => {
    const wanted = line.textContent.toLowerCase().includes(text.value.trim().toLowerCase());
    const left = line.matches('.from-google') ? !google.checked : bad.checked && !line.matches('.warning, .error');
    line.hidden = left || !wanted;
  };
  const siftAll = () => [...log.children].forEach(sift);
  filter.hidden = false;
  siftAll();
  filter.addEventListener('input', siftAll);
  filter.addEventListener('submit', (event) => event.preventDefault());
  tellLine = ({ data }) => {
    const line = new DOMParser().parseFromString(data, 'text/html').body.firstElementChild;
    log.prepend(line);
    sift(line);
    while (log.childElementCount > 1000) log.lastElementChild.remove();
  };
}
