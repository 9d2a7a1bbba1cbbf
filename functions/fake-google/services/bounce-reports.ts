import type { Bouncing } from '../faults/bouncing.ts';

/** The email that came back, and when. */
interface About {
  readonly mailbox: string;
  readonly recipient: string;
  readonly original: Buffer;
  readonly at: number;
  readonly number: number;
}

const STATUS = {
  'no-user': { code: '5.1.1', smtp: 550, action: 'failed', says: 'The email account that you tried to reach does not exist' },
  full: { code: '5.2.2', smtp: 552, action: 'failed', says: 'The recipient has no room for more messages' },
  delay: { code: '4.4.1', smtp: 451, action: 'delayed', says: 'The recipient server did not accept our requests to connect' },
} as const;

/**
 * A delivery status notification as each of them writes it: form by RFC 3464, headers as seen in their messages, wording our own. Gmail
 * adds what it found out about the sender when it takes the message in.
 */
export function writeReport({ by = 'gmail', kind = 'no-user', forged = false, messageId }: Bouncing, about: About): string {
  const { mailbox, recipient, original, at, number } = about;
  const { code, smtp, action, says } = STATUS[kind];
  const head = original.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  const ref = messageId !== undefined ? `<${messageId}>` : (/^Message-ID:\s*(<[^>]+>)/im.exec(head.replace(/\r\n[ \t]+/g, ' '))?.[1] ?? '');
  const subject = /^Subject:\s*(.*)$/im.exec(head)?.[1] ?? '';
  const domain = recipient.slice(recipient.lastIndexOf('@') + 1);
  const date = new Date(at).toUTCString().replace('GMT', '+0000');
  const boundary = `report-${number}`;
  const results = (house: string): string =>
    forged
      ? `mx.google.com;\r\n       spf=softfail (google.com: domain of transitioning postmaster@${house} does not designate 203.0.113.9 as permitted sender) smtp.helo=${house};\r\n       dmarc=fail (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from=${house}`
      : `mx.google.com;\r\n       dkim=pass header.i=@${house} header.s=2026 header.b=Abc1;\r\n       spf=pass (google.com: domain of postmaster@mx.${house} designates 203.0.113.7 as permitted sender) smtp.helo=mx.${house};\r\n       dmarc=pass (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from=${house}`;
  const part = (type: string, body: string): string => `--${boundary}\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`;
  const fields = (mta: string, extra: string): string =>
    `Reporting-MTA: dns; ${mta}\r\nArrival-Date: ${date}\r\n\r\nFinal-Recipient: rfc822; ${recipient}\r\n${extra}Action: ${action}\r\nStatus: ${code}\r\nRemote-MTA: dns; mx.${domain}. (203.0.113.5, the server for the domain ${domain}.)\r\nDiagnostic-Code: smtp; ${smtp}-${code} ${says}.\r\n ${smtp} ${code} See the notes of the server.\r\n`;
  const message = (headers: readonly string[], text: string, mta: string, extra: string, returned: string): string =>
    [
      ...headers,
      'MIME-Version: 1.0',
      '',
      `${part('text/plain; charset="UTF-8"', text)}${part('message/delivery-status', fields(mta, extra))}${part(returned, returned === 'message/rfc822' ? `${original.toString('latin1')}` : `${head}\r\n`)}--${boundary}--`,
      '',
    ].join('\r\n');
  const type = `Content-Type: multipart/report; boundary="${boundary}"; report-type=delivery-status`;
  const delayed = kind === 'delay';
  switch (by) {
    case 'gmail':
      return message(
        [
          `Delivered-To: ${mailbox}`,
          `Authentication-Results: ${results('googlemail.com')}`,
          'Return-Path: <>',
          ...(delayed ? [] : [`X-Failed-Recipients: ${recipient}`]),
          'Auto-Submitted: auto-replied',
          'From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>',
          `To: ${mailbox}`,
          `Subject: Delivery Status Notification (${delayed ? 'Delay' : 'Failure'})`,
          ...(ref ? [`References: ${ref}`, `In-Reply-To: ${ref}`] : []),
          `Message-ID: <${number}.report@google.com>`,
          `Date: ${date}`,
          type,
        ],
        `The laptop's Gmail could not hand this email to ${recipient}: ${says}.`,
        'googlemail.com',
        '',
        'message/rfc822',
      );
    case 'exchange':
      return message(
        [
          `Delivered-To: ${mailbox}`,
          `Authentication-Results: ${results(domain)}`,
          'Return-Path: <>',
          `From: postmaster@${domain}`,
          `To: ${mailbox}`,
          `Date: ${date}`,
          `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
          'X-MS-Exchange-Message-Is-Ndr:',
          'Auto-Submitted: auto-replied',
          'Content-Language: en-US',
          `Message-ID: <${number}-ndr@${domain}>`,
          ...(ref ? [`In-Reply-To: ${ref}`, `References: ${ref}`] : []),
          `Subject: ${delayed ? 'Delivery delayed' : 'Undeliverable'}: ${subject}`,
        ],
        `The server of ${domain} has no mailbox to put this into, or could not: ${says}.`,
        `mx.${domain}`,
        `Original-Recipient: rfc822;${recipient}\r\n`,
        'message/rfc822',
      );
    case 'postfix':
      return message(
        [
          `Delivered-To: ${mailbox}`,
          `Authentication-Results: ${results(domain)}`,
          'Return-Path: <>',
          `Date: ${date}`,
          `From: MAILER-DAEMON@mx.${domain} (Mail Delivery System)`,
          `Subject: ${delayed ? 'Delayed Mail (still being retried)' : 'Undelivered Mail Returned to Sender'}`,
          `To: ${mailbox}`,
          'Auto-Submitted: auto-replied',
          `Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="${boundary}"`,
          `Message-Id: <${number}.returned@mx.${domain}>`,
        ],
        `This is the mail program at mx.${domain}. <${recipient}>: ${says}.`,
        `mx.${domain}`,
        `Original-Recipient: rfc822;${recipient}\r\n`,
        'text/rfc822-headers',
      );
    case 'exim':
      return message(
        [
          `Delivered-To: ${mailbox}`,
          `Authentication-Results: ${results(domain)}`,
          'Return-Path: <>',
          ...(delayed ? [] : [`X-Failed-Recipients: ${recipient}`]),
          'Auto-Submitted: auto-replied',
          `From: Mail Delivery System <Mailer-Daemon@mx.${domain}>`,
          `To: ${mailbox}`,
          ...(ref ? [`References: ${ref}`] : []),
          `Content-Type: multipart/report; report-type=delivery-status; boundary=${boundary}`,
          `Subject: ${delayed ? `Warning: message 1laptop-${number} delayed 24 hours` : 'Mail delivery failed: returning message to sender'}`,
          `Message-Id: <E1laptop-${number}@mx.${domain}>`,
          `Date: ${date}`,
        ],
        `A message that you sent to ${recipient} has not arrived: ${says}.`,
        `mx.${domain}`,
        '',
        'text/rfc822-headers',
      );
  }
}
