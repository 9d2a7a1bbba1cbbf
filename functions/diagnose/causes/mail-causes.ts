import type { CauseRow } from './cause-row.ts';

const COMPOSED = 'mailgrant composes and encodes the email itself.';
const COUNTED = 'mailgrant counts the emails of each mailbox, and keeps in the queue what must wait.';

/** Causes in the mail itself, its recipients, Gmail's limits and the Gmail API. */
export const MAIL_CAUSES = {
  'daily-limit': {
    summary: 'The mailbox has used up what it may send in 24 hours.',
    fix: [
      'Stop sending and queue: capacity returns as old emails leave the 24-hour window (gmail.com: 500 a day, and each recipient counts; Workspace: 2,000 messages a day, and separate limits of recipients).',
      'Look for a loop or duplicates; move volume to another mailbox, the Workspace relay or a bulk provider.',
      'Limits: https://support.google.com/a/answer/166852',
    ],
    avoided: COUNTED,
  },
  'rate-limit-user': {
    summary: 'Too many requests for one mailbox at once or in a minute.',
    fix: [
      'Back off from 1 s, doubling, with jitter; where the text says "Retry after", wait until then.',
      'At most 5 to 10 calls in parallel for one mailbox. Usage: https://console.cloud.google.com/apis/api/gmail.googleapis.com/quotas?project={project}',
    ],
    avoided: COUNTED,
  },
  'message-too-large': {
    summary: 'The email, encoded, is larger than Google takes.',
    fix: [
      'Keep attachments under about 25 MB before base64 (which adds a third), or send a link.',
      'Gmail API: over 5 MB use the /upload/ address with message/rfc822.',
    ],
    avoided: 'mailgrant refuses an email that is too large before it is sent, and uploads resumably.',
  },
  'attachment-blocked': {
    summary: 'The email holds content or a file type that Gmail blocks.',
    fix: [
      'Remove programs, scripts and archives that hold one (.exe, .js, .jar, .bat, also inside .zip; encrypted archives), or send a link. List: https://support.google.com/mail/answer/6590',
      'Give each attachment its true content type, not application/x-msdownload.',
    ],
    avoided: 'mailgrant reports it as a refusal of the email and does not retry.',
  },
  'invalid-recipient': {
    summary: 'An address in To, Cc, Bcc or From is not valid.',
    fix: [
      'Look at the address for a half-typed domain, several addresses in one, an unquoted comma in the name, or an empty variable; trim and validate it.',
    ],
    avoided: 'mailgrant checks every address when it accepts an email, and names the field.',
  },
  'recipient-unavailable': {
    summary: "The recipient's mailbox does not exist, is full, or takes no email now.",
    fix: ['Correct or drop the recipient. 4xx: try later; 5xx: never again.'],
    avoided: 'The outcome in the ledger says whether a retry makes sense.',
  },
  'sender-not-authenticated': {
    summary: 'SPF, DKIM, DMARC or reverse DNS of the sending domain does not pass at the receiver.',
    fix: [
      'Publish SPF (`v=spf1 include:_spf.google.com ~all`) and switch on DKIM: Admin console > Apps > Google Workspace > Gmail > Authenticate email.',
      'Send through Gmail, not from your own IP address, with a From address of that domain.',
    ],
    avoided: 'Email leaves through Gmail, signed for your domain.',
  },
  'message-rejected-as-spam': {
    summary: 'Content or sender is judged to be unsolicited email.',
    fix: ['Do not resend unchanged. Check https://postmaster.google.com; send real content, to people who asked for it, slowly at first.'],
    avoided: 'mailgrant does not retry a refused email.',
  },
  'malformed-raw-message': {
    summary: 'The Gmail API call carries no proper RFC 822 message in `raw`.',
    fix: [
      'Send `{"raw": base64url(headers + blank line + body)}` as the JSON body: `requestBody: {raw}` in Node, `body={"raw": …}` in Python; `payload` is for reading only.',
      'The message needs From, To and Subject lines, then an empty line. Build it with a library (nodemailer MailComposer, email.message).',
      'On the /upload/ address send the bare message with Content-Type message/rfc822.',
    ],
    avoided: COMPOSED,
  },
  'raw-not-base64url': {
    summary: '`raw` is not URL-safe base64.',
    fix: [
      "Replace + by - and / by _: Node `buffer.toString('base64url')`, Python `base64.urlsafe_b64encode(m.as_bytes()).decode()`, PHP `strtr(base64_encode($m), '+/', '-_')`.",
    ],
    avoided: COMPOSED,
  },
  'insufficient-scope': {
    summary: 'The token lacks the scope that this call of the Gmail API needs.',
    fix: [
      'Look at its scopes: `curl -s -d access_token="$TOKEN" https://oauth2.googleapis.com/tokeninfo`. Sending needs gmail.send (or gmail.compose, gmail.modify, https://mail.google.com/).',
      'Change the scope, delete the stored token (token.json), and consent again with every box ticked.',
      'On Google Cloud, if the program uses the token of its service account: use the stored user token or domain-wide delegation instead.',
    ],
    avoided: '`npx mailgrant authorize` refuses a permission whose scope does not fit.',
  },
  'user-id-mismatch': {
    summary: 'The call names another mailbox than the one the token belongs to.',
    fix: [
      'Use userId `me`; put an alias into From, not into the URL.',
      'For another mailbox, get a token of that mailbox (consent or delegation).',
    ],
    avoided: 'mailgrant gets the token of the mailbox that sends, and always calls `me`.',
  },
  'mail-service-not-enabled': {
    summary: 'The Google account has no Gmail mailbox, or Gmail is off for it.',
    fix: [
      'Sign in to https://mail.google.com as that account. Workspace: Admin console > Apps > Gmail > service status on for its unit, and a licence for the user; allow a day.',
      'Or send as an account that has Gmail.',
    ],
    avoided: '`npx mailgrant doctor` checks the mailbox before the first email.',
  },
  'api-request-invalid': {
    summary: 'The call to the Gmail API names something that does not exist: path, thread or message.',
    fix: ['POST https://gmail.googleapis.com/gmail/v1/users/me/messages/send; a threadId must be one of this mailbox.'],
    avoided: 'mailgrant makes one kind of call, which tests check.',
  },
} as const satisfies Record<string, CauseRow>;
