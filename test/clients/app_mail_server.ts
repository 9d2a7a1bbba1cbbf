/** Hands one email to a mail server, which hands it to the sidecar, and waits until it has left the queue. */
import { createTransport } from 'nodemailer';
import { startMailServer } from '../support/programs/mail-servers.ts';

const { KEY = '', SMTP_PORT, FROM, SUBJECT, FILE = '' } = process.env;
await using server = await startMailServer(process.argv[2] === 'Exim' ? 'Exim' : 'Postfix', Number(SMTP_PORT), KEY);
const transport = createTransport({ host: '127.0.0.1', port: server.port, ignoreTLS: true });
await transport.sendMail({
  from: `Grün <${FROM}>`,
  to: 'you@example.net',
  bcc: 'hidden@example.net',
  subject: SUBJECT,
  text: 'Grüße',
  attachments: [{ path: FILE }],
});
transport.close();
await server.emptied(1);
