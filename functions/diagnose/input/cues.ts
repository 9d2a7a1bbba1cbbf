import { credentialShapes, type Shape } from './credential-shape.ts';
import type { Pasted } from './normalise.ts';

interface Cue {
  /** What it tells the reader. */
  readonly says: string;
  readonly any: readonly RegExp[];
  readonly none?: readonly RegExp[];
}

const MAIL = /smtp|e-?mail|mailer|gmail|google|sendmail|postfix|:(?:25|465|587|2525)\b|port:? ?(?:25|465|587)\b|imap|command: 'CONN'/i;

/** A password was refused by one mechanism; the same program may have tried XOAUTH2 with it too. */
const PASSWORD_REFUSED =
  /(?:\bAUTH |authenticator ["']?|(?:method|mechanism|auth_method|mech)["']?:? ?["']?)(?:PLAIN|LOGIN)\b(?:(?!XOAUTH2|OAUTHBEARER).){0,400}?\b53[45]\b/i;

/** Things beside the error itself that make one cause more likely than another. */
const CUES = {
  token: {
    says: 'a token was sent (XOAUTH2), not a password',
    any: [
      /AUTH[ =]XOAUTH2(?! PLAIN| LOGIN)|AUTH OAUTHBEARER|"schemes"|EOAUTH2|type["']?: ?["']OAuth2|auth\.mechanisms["']?[=:, ]+["']?XOAUTH2/i,
      /XOAUTH2 (?:auth|fail|token|string|mech|sasl)|authenticat\w* (?:with|using|via|by) XOAUTH2|using method:? ?XOAUTH2|Requesting token using|SASL\w*OAuth2|OAuthBearer|oauth2_?(?:mech|auth|string)|GenerateOAuth2String/i,
    ],
    none: [PASSWORD_REFUSED],
  },
  challenge: { says: 'Google answered to a token', any: [/"schemes"/i], none: [PASSWORD_REFUSED] },
  password: {
    says: 'a password was sent',
    any: [/AUTH (?:PLAIN|LOGIN)\b(?! (?:LOGIN|PLAIN|XOAUTH))|334 (?:Username|Password):|(?:plain|login) authenticator/i],
  },
  'narrow-scope': {
    says: 'the scope that is named is not https://mail.google.com/',
    any: [/auth\/gmail\.(?:send|modify|compose|readonly|labels|metadata)/i],
    none: [/(?<!schemes":"[\w ]{1,20}","scope":")https:\/\/mail\.google\.com\/?(?![\w/])/i],
  },
  'token-renewed': { says: 'the token was fresh', any: [/expires_in["']?: ?3[56]\d\d/i] },
  'service-account': {
    says: 'a service account is used',
    any: [
      /gserviceaccount\.com|service[ _-]?account|\bgtoken\b|\bJWT\b|jwtclient|with_subject|JWTConfig|private_key|GoogleCredential|\.p12\b/i,
    ],
  },
  'service-account-login': {
    says: 'the sign-in name is the service account itself',
    any: [/(?:user|login|userId|users|user=|account)[\w"': =/[-]{0,12}[\w.-]{1,64}@[\w.-]{1,64}gserviceaccount\.com/i],
  },
  'consumer-address': { says: 'a gmail.com address is named', any: [/@(?:gmail|googlemail)\.com/i] },
  'jwt-subject': { says: 'a user to act for is named', any: [/\bsubject\b|with_subject|"sub"|impersonat|delegat/i] },
  'code-exchange': {
    says: 'an authorisation code was being exchanged',
    any: [
      /getToken\b|fetch_?token\b(?!.{0,40}refresh)|authorization_code|[?&]code=|retrieve token from web|auth(?:ori[sz]ation)?[ _]code|AuthCode|step2_exchange|oauth2?callback|\bcallback\b.{0,20}code|\.Exchange\(|get_access_token_from_code|fetch_access_token_with_auth/i,
    ],
  },
  'encoded-code': {
    says: 'the code is still URL-encoded, or a whole URL',
    any: [/code["']?[=:] ?["']?4%2F|https?:\/\/\S{0,2000}[?&]code=|verification code.{0,40}https?:|%252F/i],
  },
  refreshing: {
    says: 'a token was being renewed',
    any: [/refresh(?!_token["']?: ?["']?(?:undefined|null|None))/i],
  },
  'password-changed': {
    says: 'a changed password is mentioned',
    any: [/(?:chang|reset|updat)\w* (?:\w+ ){0,3}password|password (?:was |has been |is )?(?:chang|reset)|revoked? (?:the )?access/i],
  },
  'seven-days': {
    says: 'about a week, or Testing, is mentioned',
    any: [/\b(?:7|seven) days?\b|\b(?:a|one|every|each) week\b|publishing status|in testing|testing mode|604[78]\d\d\b/i],
  },
  django: {
    says: "the error is from Django's mail backend, which signs in only if user and password are set",
    any: [/django[/\\.]core[/\\.]mail|EMAIL_HOST_USER|django\.conf/i],
  },
  dotnet: {
    says: 'the error is from System.Net.Mail',
    any: [/System\.Net\.Mail|SmtpException|Send-MailMessage|SmtpClient\.Send/i],
    none: [/MailKit/i],
  },
  laravel: { says: 'the error is from Laravel or Symfony', any: [/laravel|symfony|swift_?(?:transport|mailer|smtp)|artisan/i] },
  postfix: { says: 'the log line is from Postfix', any: [/postfix|status=(?:deferred|bounced)|relay=smtp/i] },
  relay: { says: 'the host is smtp-relay.gmail.com', any: [/smtp-relay\.(?:gmail|google)/i] },
  'port-465': { says: 'port 465 is used', any: [/[:\s'"=,(]465\b|\]:465\b/] },
  'port-587': { says: 'port 587 is used', any: [/[:\s'"=,(]587\b|\]:587\b/] },
  'port-25': { says: 'port 25 is used', any: [/(?:[:\]]|port["']?[:= ]+["']?|, )25\b(?![.\d])/i] },
  'ip-v6': {
    says: 'the address is an IPv6 one',
    any: [/\b(?:2607:f8b0|2a00:1450|2404:6800|2800:3f0|2c0f:fb50)[\da-f:]*|\[(?:[\da-f]{1,4}:){2,7}[\da-f:]{0,30}\]/i],
  },
  'ip-v4-failed': {
    says: 'IPv4 fails too',
    any: [
      /(?:\b|\[)\d{1,3}(?:\.\d{1,3}){3}\]?:?(?:25|465|587)\b.{0,40}(?:timed? ?out|refused|i\/o timeout)|(?:ETIMEDOUT|ECONNREFUSED) (?!127\.)\d{1,3}(?:\.\d{1,3}){3}/i,
    ],
  },
  'google-host': {
    says: 'the host name is correct',
    any: [
      /(?:smtp|imap|smtp-relay|aspmx\.l|pop)\.(?:gmail|google|googlemail)\.com|(?:www|oauth2|gmail|accounts)\.(?:googleapis|google)\.com/i,
    ],
  },
  mail: { says: 'an email is being sent', any: [MAIL] },
  hosting: {
    says: 'a hosting platform is named that closes SMTP ports',
    any: [
      /\b(?:render|railway|heroku|digital ?ocean|droplet|pythonanywhere|hetzner|ovh|linode|vultr|vercel|godaddy|bluehost|hostgator|fly\.io|replit|ec2|amazonaws|compute engine|gke|azure|opt\/render|hugging ?face|infinityfree)\b/i,
    ],
  },
  antivirus: {
    says: 'security software or a proxy is named',
    any: [
      /avast|\bavg\b|kaspersky|\beset\b|bitdefender|mcafee|norton|zscaler|fortinet|fortigate|netskope|sophos|cisco umbrella|palo ?alto|mail shield|antivirus|corporate|MITM|proxy (?:root|ca)/i,
    ],
  },
  node: { says: 'the error is from Node', any: [/node:|node_modules|\bat \w+.{0,60}\.js:\d+|nodemailer|code: 'E|UNABLE_TO|_CERT/i] },
  php: { says: 'the error is from PHP', any: [/phpmailer|\.php\b|stream_socket|swift_|fsockopen|cURL error/i] },
  'other-provider': {
    says: 'another mail provider is named',
    any: [
      /office365|microsoftonline|AADSTS|outlook\.com|sendgrid|mailgun|amazonses|amazonaws\.com|zoho|yahoo|hotmail|mail\.ru|yandex|sendinblue|brevo|postmarkapp|mailtrap|fastmail|icloud|\bprod\.outlook\b|aol\.com|gmx\.|1und1|ionos|strato/i,
    ],
    none: [/(?:smtp|smtp-relay|imap)\.(?:gmail|google|googlemail)\.com|googleapis|gsmtp|support\.google\.com/i],
  },
  'foreign-service': {
    says: 'another service is meant',
    any: [
      /:(?:5432|3306|6379|27017|9200|5672|11211|9092|1433|1521|2375|2181)\b|postgres|mysql|mongo|redis|kafka|rabbitmq|elasticsearch|registry\.npmjs|pypi\.org|files\.pythonhosted|github\.com:443|api\.github|docker\.io|huggingface\.co|rubygems|packagist|npm ERR|\bssh\b|port 22\b|(?:\/\/|host:? |lookup )(?:api\.)?git(?:hub|lab)\.com|stripe|openai|twilio|slack\.com|pip install|crates\.io|maven/i,
    ],
    none: [MAIL],
  },
} as const satisfies Record<string, Cue>;

export type CueName = keyof typeof CUES | Shape;

const SHAPES: Record<Shape, string> = {
  'sent-empty': 'what was sent as user, password or token is empty or a placeholder',
  'sent-altered': 'what was sent carries quotes, blanks at an end or escapes',
  'sent-app-password': 'what was sent has the shape of an app password',
  'sent-bare-user': 'the user that was sent is not an address',
};

export interface FoundCue {
  readonly says: string;
  /** Where in the flat text it stands; null for what was read out of an encoded credential. */
  readonly at: RegExpExecArray | null;
}

/** Every cue that the text gives. */
export function readCues(pasted: Pasted): ReadonlyMap<CueName, FoundCue> {
  const found = new Map<CueName, FoundCue>();
  for (const [name, cue] of Object.entries(CUES) as [keyof typeof CUES, Cue][]) {
    if (cue.none?.some((pattern) => pattern.test(pasted.flat))) continue;
    const at = firstOf(cue.any, pasted.flat);
    if (at) found.set(name, { says: cue.says, at });
  }
  for (const shape of credentialShapes(pasted.lines)) found.set(shape, { says: SHAPES[shape], at: null });
  return found;
}

/** Whether a piece of the text gives this cue. */
export const speaksOf = (name: keyof typeof CUES, text: string): boolean => {
  const { any, none = [] }: Cue = CUES[name];
  return any.some((pattern) => pattern.test(text)) && !none.some((pattern) => pattern.test(text));
};

/** A text without one capital was lower-cased on its way: then capitals prove nothing. */
const isLowered = (flat: string): boolean => flat === flat.toLowerCase();

const HITS_MAX = 20;

/** The earliest hit of any of the patterns that `counts`. */
export function firstOf(
  patterns: readonly RegExp[],
  flat: string,
  counts: (hit: RegExpExecArray) => boolean = () => true,
): RegExpExecArray | null {
  const lowered = isLowered(flat);
  let first: RegExpExecArray | null = null;
  for (const { source, flags } of patterns) {
    const pattern = new RegExp(source, `${lowered && !flags.includes('i') ? 'i' : ''}${flags.replace('g', '')}g`);
    for (let tries = 0; tries < HITS_MAX; tries++) {
      const at = pattern.exec(flat);
      if (!at || (first && at.index >= first.index)) break;
      if (at[0] === '') pattern.lastIndex++;
      if (!counts(at)) continue;
      first = at;
      break;
    }
  }
  return first;
}
