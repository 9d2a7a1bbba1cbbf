/** What a developer writes first: the full client libraries, the token kept, one request per mail, no ledger. */
const functions = require('@google-cloud/functions-framework');
const { SecretManagerServiceClient } = require('@google-cloud/secret-manager');
const { google } = require('googleapis');
const MailComposer = require('nodemailer/lib/mail-composer');

// The addresses of the fakes are the only thing that is not what such a developer writes.
const fake = new URL(process.env.BENCH_GOOGLE);
const secrets = new SecretManagerServiceClient({
  fallback: true,
  apiEndpoint: fake.hostname,
  port: Number(fake.port),
  protocol: fake.protocol.slice(0, -1),
});

let client;
async function connect() {
  const [version] = await secrets.accessSecretVersion({ name: process.env.BENCH_SECRET });
  const { client_id, client_secret, refresh_token } = JSON.parse(version.payload.data.toString());
  const auth = new google.auth.OAuth2({
    clientId: client_id,
    clientSecret: client_secret,
    endpoints: { oauth2TokenUrl: `${fake.origin}/token` },
  });
  auth.setCredentials({ refresh_token });
  return google.gmail({ version: 'v1', auth });
}

functions.http('naive', async (req, res) => {
  client ??= connect();
  const gmail = await client;
  const { attachments = [], ...mail } = req.body;
  const files = attachments.map(({ filename, content }) => ({ filename, content, encoding: 'base64' }));
  const letter = await new MailComposer({ ...mail, attachments: files }).compile().build();
  const { data } = await gmail.users.messages.send(
    { userId: 'me', requestBody: { raw: letter.toString('base64url') } },
    { rootUrl: `${fake.origin}/` },
  );
  res.json({ id: data.id });
});
