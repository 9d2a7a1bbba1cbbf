/**
 * What a careful developer writes with Google's own libraries: imports by path, one bundle, the token kept, and the same work for the
 * ledger as ours (a claim that must not exist, an outcome that must be unchanged). One request for the email, since the
 * generated client has no resumable session that survives its process.
 */
const { randomUUID } = require('node:crypto');
const functions = require('@google-cloud/functions-framework');
const { OAuth2Client } = require('google-auth-library/build/src/auth/oauth2client.js');
const { GoogleAuth } = require('google-auth-library/build/src/auth/googleauth.js');
const { gmail_v1 } = require('googleapis/build/src/apis/gmail/v1.js');
const { secretmanager_v1 } = require('googleapis/build/src/apis/secretmanager/v1.js');
const { firestore_v1 } = require('googleapis/build/src/apis/firestore/v1.js');
const MailComposer = require('nodemailer/lib/mail-composer');

// The addresses of the fakes are the only thing that is not what such a developer writes.
const rootUrl = `${process.env.BENCH_GOOGLE}/`;
const project = process.env.GOOGLE_CLOUD_PROJECT;
const identity = new GoogleAuth({ scopes: ['https://www.googleapis.com/auth/cloud-platform'] });
const database = `projects/${project}/databases/(default)`;

let connected;
async function connect() {
  const auth = await identity.getClient();
  const secrets = new secretmanager_v1.Secretmanager({ auth });
  const { data } = await secrets.projects.secrets.versions.access({ name: process.env.BENCH_SECRET }, { rootUrl });
  const { client_id, client_secret, refresh_token } = JSON.parse(Buffer.from(data.payload.data, 'base64').toString());
  const mailbox = new OAuth2Client({ clientId: client_id, clientSecret: client_secret, endpoints: { oauth2TokenUrl: `${rootUrl}token` } });
  mailbox.setCredentials({ refresh_token });
  return { gmail: new gmail_v1.Gmail({ auth: mailbox }), firestore: new firestore_v1.Firestore({ auth }) };
}

const commit = (firestore, name, fields, currentDocument) =>
  firestore.projects.databases.documents.commit(
    { database, requestBody: { writes: [{ update: { name, fields }, currentDocument }] } },
    { rootUrl, retry: false },
  );

functions.http('careful', async (req, res) => {
  connected ??= connect();
  const { gmail, firestore } = await connected;
  const id = randomUUID();
  const name = `${database}/documents/mails/${id}`;
  const { attachments = [], ...mail } = req.body;
  const files = attachments.map(({ filename, content }) => ({ filename, content, encoding: 'base64' }));
  const claimed = await commit(firestore, name, { state: { stringValue: 'claimed' } }, { exists: false });
  const message = await new MailComposer({ ...mail, attachments: files }).compile().build();
  const { data } = await gmail.users.messages.send(
    { userId: 'me', requestBody: { raw: message.toString('base64url') } },
    { rootUrl, retry: false },
  );
  const fields = { state: { stringValue: 'sent' }, gmailId: { stringValue: data.id } };
  await commit(firestore, name, fields, { updateTime: claimed.data.writeResults[0].updateTime });
  res.json({ id });
});
