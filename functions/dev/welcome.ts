/** The text that `npm start` prints when everything runs. */
export function welcome(urls: Readonly<Record<string, string>>, key: string, from: string, ms: number): string {
  return `
mailgrant is up, in ${ms} ms. Nothing leaves this machine.

  inbox    ${urls['inbox']}      <- open this: what arrived, and write, ledger, faults, events, log
  api      ${urls['api']}      Resend's API: RESEND_BASE_URL=${urls['api']}/
  worker   ${urls['worker']}      Pub/Sub push
${urls['hooks'] ? `  hooks    ${urls['hooks']}      webhooks at /hooks/<route>; npx mailgrant hook sign ROUTE --event FILE\n` : ''}  google   ${urls['google']}      the fake: tokens, secrets, ledger, Gmail
  smtp     ${urls['smtp']}      its Gmail over STARTTLS with XOAUTH2; TLS on ${urls['smtps']}
  API key  ${key}

  export MAILGRANT_KEY=${key}

Send a mail, and see it in the inbox:

  curl ${urls['api']}/emails -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '{"from":"${from}","to":"you@example.net","subject":"Grüße","text":"It works."}'

Then lose a reply, end a grant or use up the daily limit at ${urls['inbox']}/faults, and send again.
Your own app, from Django to curl: docs/use-it-from.md. Your own tests: docs/testing.md

Ctrl-C ends everything.
`;
}
