const MASKED = '[masked]';
const EMPTY = String.raw`(?:undefined|null|None|nil|false|true|\[?redacted\]?|\[masked\]|\*+|x+|<[\w -]*>|["'\s,;)}])`;

/** What is secret by its form or its place; everything else stays readable. Each keeps the number of lines. */
const SECRETS: readonly (readonly [RegExp, string | ((...found: string[]) => string)])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, (block = '') => block.replace(/[^\n]+/g, MASKED)],
  [/\bya29\.[\w.-]*/g, MASKED],
  [/\b1\/\/[\w-]{6,}/g, MASKED],
  [/\b[14]\/0?[\w-]{20,}/g, MASKED],
  [/\b4(?:%2F|\/)[\w.-]{4,}(?:\[?\w*\]?)/gi, MASKED],
  [/\bGOCSPX-[\w-]*/g, MASKED],
  [/\bAIza[\w-]{20,}/g, MASKED],
  [/\bmg_[\w-]{6,}/g, MASKED],
  [/\beyJ[\w-]{8,}(?:\.[\w-]*)*/g, MASKED],
  [
    /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(bearer|basic)\s+)?[^\s"',}]+/gi,
    (_, name, kind) => `${name}${kind ? `${kind} ` : ''}${MASKED}`,
  ],
  [/\b(bearer|basic)(\s+)(?!auth|token|realm|challenge|credential|scheme)[\w.~+/=-]{8,}/gi, `$1$2${MASKED}`],
  [
    /\b(AUTH\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5)\s+)(?!LOGIN|PLAIN|XOAUTH2|OAUTHBEARER|CRAM|XOAUTH|SCRAM|mechanism)[\w+/=-]{4,}/gi,
    `$1${MASKED}`,
  ],
  [/([?&]plt=)[^\s&"'>]*/gi, `$1${MASKED}`],
  [/(\b[a-z][a-z\d+.-]{0,20}:\/\/[^\s:@/"']{0,200}:)[^\s"']{1,300}(@)/gi, `$1${MASKED}$2`],
  [
    /((?:\.|->|\b)(?:login|authenticate|PlainAuth|NetworkCredential|setPassword)\s*\((?:[^,()]*,)?\s*)(["'])[^"'\n]*\2/gi,
    `$1$2${MASKED}$2`,
  ],
  [
    new RegExp(
      String.raw`((?:pass(?:word|wd|phrase)?|_pass|pwd|secret|refresh_?token|access_?token|id_?token|api_?key|private_?key|assertion|auth_?code|[?&]code)["']?\s*(?:=>|[:=])\s*(?:u?["'])?)(?!${EMPTY})[^"'\n,;&}]+`,
      'gi',
    ),
    `$1${MASKED}`,
  ],
  [/(334 (?:Username|Password):[^\n]*\n(?:[A-Z]+: )?)[\w+/=]{4,}/g, `$1${MASKED}`],
  [/^(?=[\w+/]*[A-Z\d])[\w+/]{8,}={0,2}$/gm, MASKED],
  [/\b[a-z]{4} [a-z]{4} [a-z]{4} [a-z]{4}\b/g, MASKED],
  [/\b(?!misconfiguration|responsibilities|internationally)[a-z]{16}\b/g, MASKED],
  [/(?<![\w./])(?=[\w+=-]*[a-z])(?=[\w+=-]*[A-Z])(?=[\w+=-]*\d)[\w+=-]{28,}/g, MASKED],
];

/** The text without passwords, tokens and keys; as many lines as before. */
export function mask(text: string): string {
  let masked = text;
  for (const [found, shown] of SECRETS) masked = typeof shown === 'string' ? masked.replace(found, shown) : masked.replace(found, shown);
  return masked;
}
