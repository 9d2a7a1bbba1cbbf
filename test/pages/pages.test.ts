import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Running } from '../../functions/fake-google/http/server.ts';
import { authorised, type Laptop, MAIL, post, startLaptop } from '../support/stack/laptop.ts';
import { formTo, startPagesOf } from '../support/stack/pages-of.ts';

let laptop: Laptop;
let inbox: Running;
let id: string;
before(async () => {
  laptop = await startLaptop();
  inbox = await startPagesOf(laptop);
  const hostile = '<script>alert(1)</script>';
  await post(
    `${laptop.api}/emails`,
    {
      ...MAIL,
      subject: `Ü ${hostile}`,
      html: `<b>hi</b>${hostile}<img src="https://example.org/track">`,
      attachments: [{ filename: `a"${hostile}.html`, content: Buffer.from(hostile).toString('base64') }],
    },
    authorised,
  );
  id = laptop.google.mails.list()[0]?.id ?? '';
});
after(async () => {
  await inbox[Symbol.asyncDispose]();
  await laptop[Symbol.asyncDispose]();
});

const get = async (path: string) => {
  const reply = await fetch(inbox.url + path);
  return {
    status: reply.status,
    type: reply.headers.get('content-type') ?? '',
    csp: reply.headers.get('content-security-policy') ?? '',
    disposition: reply.headers.get('content-disposition'),
    text: await reply.text(),
  };
};

test('the list shows the email with its outcome, and its text as text', async () => {
  const { text, csp } = await get('/');
  assert.match(text, /Ü &#60;script&#62;/);
  assert.match(text, /class="state sent"/);
  assert.doesNotMatch(text, /<script>alert/);
  assert.match(csp, /default-src 'none'/);
});

test('an email is shown with everything it is made of, its html in a sandbox', async () => {
  const { text } = await get(`/mails/${id}`);
  for (const part of [/you@example\.net/, /Message-ID: /i, /<dt>Attempts<\/dt><dd>1<\/dd>/, /<iframe title="[^"]+" sandbox src=/])
    assert.match(text, part);
  assert.doesNotMatch(text, /<script>alert/);
  const html = await get(`/mails/${id}/html`);
  assert.match(html.csp, /default-src 'none'; img-src data:; .*sandbox/); // no script, nothing loaded from anywhere
});

test('an attachment is a download, never a page; the source is text', async () => {
  const file = await get(`/mails/${id}/attachments/0`);
  assert.deepEqual(
    [file.type, file.disposition?.startsWith('attachment;'), file.text],
    ['application/octet-stream', true, '<script>alert(1)</script>'],
  );
  assert.match((await get(`/mails/${id}/source`)).type, /^text\/plain/);
});

for (const path of ['/mails/0', '/nothing', '/mails/../x'])
  test(`${path} is not found`, async () => assert.equal((await get(path)).status, 404));
test('an attachment that is not there is not found', async () => assert.equal((await get(`/mails/${id}/attachments/9`)).status, 404));

test('an email that no answer came of keeps its key, since it may have been sent', async () => {
  await using cut = await startPagesOf({ ...laptop, api: 'http://127.0.0.1:1' });
  const reply = await formTo(cut, '/write', { from: MAIL.from, to: 'you@example.net', subject: 's', text: 't', key: 'canary-key' });
  const text = await reply.text();
  assert.match(text, /The api does not answer/);
  assert.match(text, /value="canary-key"/);
});
