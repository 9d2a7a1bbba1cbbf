// The SDK of Resend, whichever version is named; the old ones read RESEND_BASE_URL when they are imported.
import { readFileSync } from 'node:fs';

const { Resend } = await import(process.argv[2]);
const content = readFileSync(process.env.FILE);
const { error } = await new Resend(process.env.KEY).emails.send({
  from: `Grün <${process.env.FROM}>`,
  to: 'you@example.net',
  bcc: 'hidden@example.net',
  subject: process.env.SUBJECT,
  text: 'Grüße',
  attachments: [{ filename: 'ü.bin', content }],
});
if (error) throw new Error(error.name);
