/** Real clients, each in a process of its own: the old SDKs read RESEND_BASE_URL when they are imported. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { simpleParser } from 'mailparser';
import { onPath, skipUnless } from '../../support/programs/emulators.ts';
import { KEY, type Laptop, MAILBOX, startLaptop } from '../../support/stack/laptop.ts';

let laptop: Laptop;
before(async () => {
  laptop = await startLaptop();
});
after(() => laptop[Symbol.asyncDispose]());

/** Runs a program with the API's address and key in its environment, and answers what it printed, as JSON. */
async function run(program: string, args: string[], slash = '/'): Promise<unknown> {
  const env = { ...process.env, RESEND_BASE_URL: laptop.api + slash, RESEND_API_KEY: KEY, FROM: MAILBOX };
  const { stdout } = await promisify(execFile)(program, args, { env });
  return JSON.parse(stdout);
}
const node = (code: string, slash?: string) => run(process.execPath, ['--input-type=module', '-e', code], slash);
const last = async () => {
  const [stored] = laptop.google.mails.list();
  return { recipients: stored?.recipients, mail: await simpleParser(stored?.raw ?? '') };
};

const SEND = `
const resend = new Resend(process.env.RESEND_API_KEY);
const file = Buffer.from(Array.from({ length: 70000 }, (_, n) => n % 251));
const mail = { from: process.env.FROM, to: 'you@example.net', subject: 'Grüße ✓', text: 'hi' };
const full = { ...mail, cc: 'c@example.net', bcc: ['hidden@example.org'], reply_to: 'r@example.com', replyTo: 'r@example.com', headers: { 'X-Entity-Ref-ID': '7' },
  tags: [{ name: 'a', value: 'b' }], attachments: [{ filename: 'a.bin', content: file }] };
const name = ({ data, error }) => error?.name ?? Object.keys(data);
`;
for (const version of ['resend-2', 'resend-4', 'resend'])
  for (const slash of ['', '/'])
    test(`${version} with a base URL that ends in "${slash}": a whole email arrives, a Buffer byte for byte`, async () => {
      const said = await node(
        `import { Resend } from '${version}';${SEND} console.log(JSON.stringify(name(await resend.emails.send(full))));`,
        slash,
      );
      const { recipients, mail } = await last();
      assert.deepEqual([said, recipients], [['id'], ['you@example.net', 'c@example.net', 'hidden@example.org']]);
      assert.deepEqual([mail.subject, mail.replyTo?.text, mail.headers.get('x-entity-ref-id')], ['Grüße ✓', 'r@example.com', '7']);
      assert.deepEqual(mail.attachments[0]?.content, Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 251)));
    });

for (const version of ['resend-2', 'resend-4', 'resend'])
  test(`${version} reads errors, batches and restricted resources as it should`, async () => {
    const said = await node(`import { Resend } from '${version}';${SEND}
      const id = (await resend.emails.send(mail)).data.id;
      console.log(JSON.stringify([
        name(await new Resend('re_wrong').emails.send(mail)),
        name(await resend.emails.send({ ...mail, to: 'nobody' })),
        name(await resend.emails.send({ ...mail, subject: undefined })),
        name(await resend.domains.list()),
        (await resend.emails.get(id)).data.last_event,
        name(await resend.emails.get('49a3999c-0ce1-4ea6-ab68-afcd6dc2e794')),
        (({ data, error }) => error?.name ?? data.data.length)(await resend.batch.send([mail, mail])),
        name(await resend.batch.send([mail, { ...mail, to: 'nobody' }])),
      ]));`);
    assert.deepEqual(said, [
      'invalid_api_key',
      'validation_error',
      'missing_required_field',
      'restricted_api_key',
      'sent',
      'not_found',
      2,
      'validation_error',
    ]);
  });

test('resend 6.38: one idempotency key, a permissive batch, an inline image, a cancellation, what is not served', async () => {
  const before = laptop.google.mails.count();
  const said = (await node(`import { Resend } from 'resend';${SEND}
    const key = { idempotencyKey: 'node/1' };
    const [one, two] = [await resend.emails.send(mail, key), await resend.emails.send(mail, key)];
    const both = await Promise.all([resend.emails.send(mail, { idempotencyKey: 'node/2' }), resend.emails.send(mail, { idempotencyKey: 'node/2' })]);
    const batch = await resend.batch.send([mail, { ...mail, to: 'nobody' }, mail], { batchValidation: 'permissive' });
    const inline = await resend.emails.send({ ...mail, text: undefined, html: '<img src="cid:logo">', attachments: [{ filename: 'l.png', content: file.toString('base64'), contentId: 'logo' }] });
    console.log(JSON.stringify({
      same: one.data.id === two.data.id,
      changed: name(await resend.emails.send({ ...mail, text: 'other' }, key)),
      both: both.map(name).map(String).sort(),
      batch: [batch.data.data.length, batch.data.errors.map(({ index }) => index)],
      inline: name(inline),
      cancel: name(await resend.emails.cancel(one.data.id)),
      refused: await Promise.all([{ scheduledAt: 'in 1 min' }, { template: { id: 'x' }, text: undefined }, { topicId: 'x' }, { attachments: [{ path: 'https://example.com/a' }] }]
        .map(async (change) => name(await resend.emails.send({ ...mail, ...change })))),
    }));`)) as Record<string, unknown>;
  const { both, ...rest } = said;
  assert.ok(['concurrent_idempotent_requests,id', 'id,id'].includes(String(both)), String(both));
  assert.deepEqual(rest, {
    same: true,
    changed: 'invalid_idempotent_request',
    batch: [2, [1]],
    inline: ['id'],
    cancel: 'validation_error',
    refused: ['validation_error', 'validation_error', 'validation_error', 'validation_error'],
  });
  assert.equal(laptop.google.mails.count() - before, 5);
  const { mail } = await last();
  assert.deepEqual([mail.attachments[0]?.cid, mail.attachments[0]?.related], ['logo', true]);
});

const PYTHON = `
import json, os, urllib.request, urllib.error
def call(path, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["RESEND_BASE_URL"].rstrip("/") + path, data, {"Authorization": "Bearer " + os.environ["RESEND_API_KEY"], "Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request) as reply: return [reply.status, sorted(json.load(reply))]
    except urllib.error.HTTPError as error: return [error.code, json.load(error)["name"]]
mail = {"from": os.environ["FROM"], "to": ["you@example.net"], "subject": "Grüße", "html": "<p>hi</p>", "attachments": [{"filename": "a.txt", "content": list(b"hello")}]}
from email.message import EmailMessage
from email.policy import SMTP
letter = EmailMessage(policy=SMTP)
letter["From"], letter["To"], letter["Subject"] = os.environ["FROM"], "Jörg <you@example.net>", "Grüße ✓"
letter.set_content("Grüße aus Python\\n")
letter.add_attachment(b"hello", maintype="application", subtype="pdf", filename="größe.pdf")
print(json.dumps([call("/emails", mail), call("/emails", {**mail, "to": None}), call("/emails/batch", [mail, mail]),
    call("/v1/raw", letter.as_bytes(), **{"Content-Type": "message/rfc822", "x-envelope-to": "you@example.net,hidden@example.org"})]))
`;
test("Python's urllib sends fields, a batch, and what its own email package writes", {
  skip: skipUnless(onPath('python3'), 'python3'),
}, async () => {
  assert.deepEqual(await run('python3', ['-c', PYTHON]), [
    [200, ['id']],
    [422, 'missing_required_field'],
    [200, ['data']],
    [200, ['id']],
  ]);
  const { recipients, mail } = await last();
  assert.deepEqual(recipients, ['you@example.net', 'hidden@example.org']);
  assert.deepEqual([mail.subject, mail.text?.trim(), mail.attachments[0]?.filename], ['Grüße ✓', 'Grüße aus Python', 'größe.pdf']);
});

test('curl sends JSON, chunked too, and a letter from its standard input', { skip: skipUnless(onPath('curl'), 'curl') }, async () => {
  const mail = JSON.stringify({ from: MAILBOX, to: 'you@example.net', subject: 's', text: 't' });
  const auth = ['-s', '-H', `Authorization: Bearer ${KEY}`];
  const json = [...auth, '-H', 'Content-Type: application/json', '-d', mail, `${laptop.api}/emails`];
  assert.deepEqual(Object.keys((await run('curl', json)) as object), ['id']);
  assert.deepEqual(Object.keys((await run('curl', ['-H', 'Transfer-Encoding: chunked', ...json])) as object), ['id']);
  const letter = `From: ${MAILBOX}\r\nTo: you@example.net\r\nSubject: s\r\n\r\nt\r\n`;
  const raw = [
    ...auth,
    '-H',
    'Content-Type: message/rfc822',
    '-H',
    'x-envelope-to: you@example.net',
    '--data-binary',
    letter,
    `${laptop.api}/v1/raw`,
  ];
  assert.deepEqual(Object.keys((await run('curl', raw)) as object), ['id']);
});
