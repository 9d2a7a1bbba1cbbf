/** Forms in which people paste a password, beside the errors they paste it with, in each place: none of them may be shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../../functions/diagnose/explain.ts';
import { mask } from '../../../functions/diagnose/input/mask.ts';
import { sampled } from '../../support/deep.ts';
import { moreForms } from './mask-forms.ts';

const P = 'kan4rie!Vogel';

const FORMS: Readonly<Record<string, string>> = {
  'mail URL': `smtps://me%40example.com:${P}@smtp.gmail.com:465`,
  'mail URL with a bare @': `smtp://me@example.com:${P}@smtp.gmail.com:587`,
  'mail URL, password with @ and /': `MAIL_URL=smtp://me@example.com:${P}@x/y@smtp.gmail.com:587`,
  'Symfony DSN': `MAILER_DSN=gmail+smtp://me@example.com:${P}@default`,
  'EMAIL_URL of django-environ': `EMAIL_URL = env.email_url("EMAIL_URL", default="smtp+tls://me@example.com:${P}@smtp.gmail.com:587")`,
  'Postfix sasl_passwd': `[smtp.gmail.com]:587 me@example.com:${P}`,
  'Postfix sasl_passwd without a port': `smtp.gmail.com me@example.com:${P}`,
  'Exim passwd.client': `*.google.com:me@example.com:${P}`,
  'Exim passwd.client, user alone': `smtp.gmail.com:notices:${P}`,
  'curl -u': `curl --ssl-reqd smtp://smtp.gmail.com:587 -u me@example.com:${P} --mail-from me@example.com`,
  'curl --user': `curl --user "notices:${P}" smtps://smtp.gmail.com`,
  swaks: `swaks --to you@example.net --server smtp.gmail.com:587 -tls --auth-user me@example.com --auth-password ${P}`,
  'swaks, short': `swaks -s smtp.gmail.com -au me@example.com -ap ${P}`,
  sendEmail: `sendEmail -f me@example.com -s smtp.gmail.com:587 -xu me@example.com -xp ${P} -u Subject`,
  's-nail': `set smtp-auth-user=me@example.com smtp-auth-password=${P}`,
  msmtprc: `user me@example.com\npassword ${P}\nhost smtp.gmail.com`,
  netrc: `machine smtp.gmail.com login me@example.com password ${P}`,
  ssmtp: `AuthUser=me@example.com\nAuthPass=${P}`,
  muttrc: `set smtp_pass = "${P}"`,
  "Go's PlainAuth": `auth := smtp.PlainAuth("", "me@example.com", "${P}", "smtp.gmail.com")`,
  "Go's PlainAuth, user alone": `smtp.PlainAuth("", from, "${P}", host)`,
  gomail: `d := gomail.NewDialer("smtp.gmail.com", 587, "me@example.com", "${P}")`,
  'Java authenticator': `return new PasswordAuthentication("me@example.com", "${P}");`,
  'Java connect': `transport.connect("smtp.gmail.com", 587, "notices", "${P}");`,
  'Java property': `props.put("mail.smtp.password", "${P}");`,
  'Spring property': `spring.mail.password=${P}`,
  lettre: `let creds = Credentials::new("me@example.com".to_string(), "${P}".to_string());`,
  'lettre, owned': `Credentials::new("notices".to_owned(), "${P}".to_owned())`,
  yagmail: `yag = yagmail.SMTP("me@example.com", "${P}")`,
  'yagmail, keyword': `yagmail.SMTP(user="me@example.com", password="${P}")`,
  smtplib: `server.login("me@example.com", "${P}")`,
  'smtplib, user from the environment': `server.login(os.environ["MAIL_USER"], "${P}")`,
  'PHP define': `define('SMTP_PASSWORD', '${P}');`,
  'PHPMailer property': `$mail->Password = '${P}';`,
  'Laravel array': `'password' => '${P}',`,
  dotenv: `MAIL_PASSWORD=${P}`,
  'dotenv, quoted': `GMAIL_APP_PASSWORD="${P}"`,
  'shell export': `export SMTP_PASS=${P}`,
  'Django setting': `EMAIL_HOST_PASSWORD = '${P}'`,
  'Django setting, annotated': `EMAIL_HOST_PASSWORD: str = "${P}"`,
  JSON: `{"auth":{"user":"me@example.com","pass":"${P}"}}`,
  'JSON, escaped': JSON.stringify(JSON.stringify({ user: 'me@example.com', pass: P })),
  'JavaScript object': `auth: { user: 'me@example.com', pass: '${P}' }`,
  'JavaScript, template literal': `pass: \`${P}\``,
  YAML: `  password: ${P}`,
  'Ruby hash': `password: "${P}", authentication: :plain`,
  'Ruby, old hash': `:password => "${P}"`,
  'XML element': `<smtpPassword>${P}</smtpPassword>`,
  'appsettings of .NET': `<add key="SmtpPassword" value="${P}" />`,
  '.NET credential': `client.Credentials = new NetworkCredential("me@example.com", "${P}");`,
  PowerShell: `$cred = ConvertTo-SecureString "${P}" -AsPlainText -Force`,
  'German label': `Benutzer: me@example.com\nPasswort: ${P}`,
  'German sentence': `Mein Passwort ist ${P}`,
  'Spanish label': `usuario: me@example.com\ncontraseña: ${P}`,
  'French label': `mot de passe : ${P}`,
  'Portuguese label': `Senha: ${P}`,
  'English sentence': `my password is ${P}`,
  'user / password': `me@example.com / ${P}`,
  'user, password on one line': `me@example.com ${P}`,
  'user|password': `me@example.com|${P}`,
  // Configuration formats and command lines of other tools.
  'YAML, folded': `smtp:\n  password: >-\n    ${P}\n  host: smtp.gmail.com`,
  'YAML, literal block': `password: |\n  ${P}`,
  'YAML, name and value of Kubernetes': `- name: SMTP_PASSWORD\n  value: "${P}"`,
  'Kubernetes Secret, base64': `data:\n  smtp-password: ${btoa(P)}`,
  'kubectl create secret': `kubectl create secret generic mail --from-literal=password='${P}'`,
  'kubectl create secret, other key': `kubectl create secret generic smtp-password --from-literal=value=${P}`,
  JSON5: `{ pass: '${P}', /* app */ user: 'me@example.com' }`,
  'JSON over two lines': `"password":\n    "${P}"`,
  '.properties with blanks': `mail.password ${P}`,
  '.properties with a colon': `mail.smtp.password : ${P}`,
  'systemd Environment=': `Environment="SMTP_PASSWORD=${P}"`,
  'systemd, several': `Environment=SMTP_USER=me@example.com SMTP_PASS=${P}`,
  'docker run -e': `docker run -e SMTP_USER=me@example.com -e SMTP_PASSWORD=${P} app`,
  'docker run --env, quoted': `docker run --env "MAIL_PASS=${P}" app`,
  'Compose list': `    - SMTP_PASSWORD=${P}`,
  'Dockerfile ENV': `ENV SMTP_PASSWORD ${P}`,
  'fly secrets': `fly secrets set SMTP_PASSWORD=${P}`,
  'heroku config': `heroku config:set GMAIL_PASSWORD='${P}'`,
  'curl --config': `user = "me@example.com:${P}"\nurl = "smtps://smtp.gmail.com"`,
  Terraform: `variable "smtp_password" {\n  default = "${P}"\n}`,
  'Terraform tfvars': `smtp_password = "${P}"`,
  'Terraform -var': `terraform apply -var smtp_password=${P}`,
  'Terraform set_sensitive': `set_sensitive {\n  name  = "smtp.password"\n  value = "${P}"\n}`,
  'Ansible task': `community.general.mail: host=smtp.gmail.com username=me@example.com password='${P}'`,
  'Ansible -e': `ansible-playbook mail.yml -e "smtp_password=${P}"`,
  'Helm --set': `helm install grafana --set smtp.password=${P}`,
  'shell history': `  412  export GMAIL_PASS="${P}" && python send.py`,
  'fish history': `set -x SMTP_PASSWORD ${P}`,
  'Windows set': `set SMTP_PASSWORD=${P}`,
  setx: `setx SMTP_PASSWORD "${P}"`,
  'PowerShell variable': `$env:SMTP_PASSWORD = "${P}"`,
  'PowerShell credential': `New-Object System.Management.Automation.PSCredential("me@example.com", (ConvertTo-SecureString '${P}' -AsPlainText -Force))`,
  'WordPress option': `wp option patch update wp_mail_smtp smtp pass '${P}'`,
  'GitLab gitlab.rb': `gitlab_rails['smtp_password'] = "${P}"`,
  'Elixir config': `config :app, App.Mailer, password: "${P}", relay: "smtp.gmail.com"`,
  Delphi: `IdSMTP1.Password := '${P}';`,
  'VB.NET': `SmtpServer.Credentials = New Net.NetworkCredential("me@example.com", "${P}")`,
  Perl: `$smtp->auth('me@example.com', '${P}');`,
  'Rust builder': `.credentials(Credentials::new(user, String::from("${P}")))`,
  Kotlin: `override fun getPasswordAuthentication() = PasswordAuthentication(user, "${P}")`,
  TOML: `[smtp]\npassword = """${P}"""`,
  'INI with a semicolon': `password=${P};`,
  'Italian label': `la password è ${P}`,
  'Dutch label': `wachtwoord: ${P}`,
  'redis-style line': `AUTH PLAIN ${btoa(`\0me@example.com\0${P}`)}`,
  'expect script': `send "${P}\\r" ;# password`,
  "mailgrant's own key": 'MAILGRANT_KEY mg_shop_kan4rieVogelkan4rie',
  'app password': 'kana rien voge lein',
  'app password with dashes': 'kana-rien-voge-lein',
  'app password in capitals': 'KANA RIEN VOGE LEIN',
  'app password in one word': 'kanarienvogelein',
  'app password in one word, capitals': 'KANARIENVOGELEIN',
  ...moreForms(P),
};
const SHOWN = /kan4rie|a2FuNHJpZ|Vogel(?!l)|kana.?rien|voge.?lein/i;

const ERRORS: readonly string[] = [
  "smtplib.SMTPAuthenticationError: (535, b'5.7.8 Username and Password not accepted. For more information, go to\\n5.7.8  https://support.google.com/mail/?p=BadCredentials a1 - gsmtp')",
  '534-5.7.9 Application-specific password required. For more information, go to https://support.google.com/mail/?p=InvalidSecondFactor',
  'Error: getaddrinfo ENOTFOUND smtp.gmial.com',
  '530-5.7.0 Authentication Required. For more information, go to https://support.google.com/mail/?p=WantAuthError - gsmtp',
  'Error: connect ETIMEDOUT 74.125.24.108:587',
];
const PLACES: Readonly<Record<string, (form: string, error: string) => string>> = {
  'before it': (form, error) => `${form}\n${error}`,
  'after it': (form, error) => `${error}\n${form}`,
  'on its line': (form, error) => `${error} ${form}`,
  'between two': (form, error) => `${error}\n${form}\n${error}`,
};

for (const [name, form] of sampled(Object.entries(FORMS), 60)) {
  test(`a password does not come out: ${name}`, () => {
    for (const error of ERRORS)
      for (const [place, write] of Object.entries(PLACES)) {
        const answer = explain(write(form, error));
        assert.ok(answer.matches.length > 0, `${place}: ${error}`);
        assert.doesNotMatch(JSON.stringify(answer), SHOWN, place);
      }
    assert.doesNotMatch(mask(form), SHOWN, 'the text itself, masked');
  });
}

test('the matrix is as large as it says', () => assert.ok(Object.keys(FORMS).length * ERRORS.length * Object.keys(PLACES).length >= 5000));

// What a reader needs must stay: codes, hosts, links, names of settings.
const KEPT: readonly string[] = [
  '535-5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials',
  'Error: connect ETIMEDOUT 142.250.102.108:587',
  'getaddrinfo ENOTFOUND smtp.gmail.com',
  'SMTP_HOST=smtp.gmail.com',
  'SMTP_PORT=587',
  'ENV SMTP_HOST smtp.gmail.com',
  '- name: SMTP_PORT\n  value: "587"',
  'password: null',
  'failed to connect, no password specified?',
  'Could not fetch secret "projects/shop/secrets/API_KEYS/versions/2" for environment variable "API_KEYS"',
  "Permission 'artifactregistry.repositories.get' denied",
  '{"message":"Invalid Credentials","domain":"global"}',
  'SMTP password is required',
  'com.sun.mail.smtp.SMTPTransport.authenticate(SMTPTransport.java:965)',
  'Error 403: access_denied',
  'google.auth.exceptions.RefreshError: invalid_grant',
  'set SMTP_PORT=587',
  'relay=smtp.gmail.com[142.250.102.108]:587, status=deferred',
  'me@example.com: 550 5.1.1 User unknown',
];
for (const text of KEPT) test(`nothing in it is a secret: ${text.slice(0, 50)}`, () => assert.equal(mask(text), text));
