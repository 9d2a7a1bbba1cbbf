// nodemailer, over SMTP.
import { createTransport } from 'nodemailer';

const transport = createTransport({ host: '127.0.0.1', port: Number(process.env.SMTP_PORT), auth: { user: 'any', pass: process.env.KEY } });
await transport.sendMail({
  from: `Grün <${process.env.FROM}>`,
  to: 'you@example.net',
  bcc: 'hidden@example.net',
  subject: process.env.SUBJECT,
  text: 'Grüße',
  headers: process.env.ITS_KEY ? { 'Resend-Idempotency-Key': process.env.ITS_KEY } : {},
  attachments: [{ filename: 'ü.bin', path: process.env.FILE }],
});
transport.close();
