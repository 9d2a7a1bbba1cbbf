/** nodemailer's own way for many mails: a pool of kept SMTP connections. Each line on stdin is a number of mails to send. */
const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { createTransport } = require('nodemailer');

const { port, ca, concurrency, mail } = JSON.parse(process.argv[2]);
const transport = createTransport({
  host: '127.0.0.1',
  port,
  secure: true,
  pool: true,
  maxConnections: concurrency,
  maxMessages: Number.POSITIVE_INFINITY,
  auth: { type: 'OAuth2', user: mail.from, accessToken: 'ya29.bench' },
  tls: { ca: readFileSync(ca) },
});

async function send(count) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await transport.sendMail(mail);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const started = performance.now();
  await send(Number(line));
  console.log(performance.now() - started);
});
process.stdin.on('end', () => process.exit(0));
