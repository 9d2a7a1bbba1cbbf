/**
 * Finds secrets by their form or their place. Pure: text in, positions or masked text out. What is not clearly harmless in
 * such a place is masked: a masked word costs a reader little, a shown password costs him the mailbox.
 */
const MASKED = '[masked]';

// Bounded: over a long run without an @, an open repetition takes quadratic time.
const ADDRESS = String.raw`[\w.+%=-]{1,100}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}`;
/** What stands for a value that is not there; it stays readable, since it is often the error. */
const EMPTY = String.raw`(?:undefined|null|None|nil|false|true|\[?redacted\]?|\[masked\]|\*+|x+|<[\w -]*>)(?=["'\s,;)}\]]|$)|["'\s,;)}]`;
/** A quoted argument with the secret in it. */
const QUOTED = String.raw`(?<q>["'\x60])(?<s>(?:(?!\k<q>)[^\n]){1,200})\k<q>`;
const PASSWORDS = [
  ...['pass(?:word|wd|wort|phrase|code)?', 'pwd?', 'kennwort', 'contrase(?:ñ|n)a', 'clave', 'mot de passe', 'senha', 'wachtwoord', 'has(?:ł|l)o', 'l(?:ö|o)senord', 'adgangskode', 'passord', 'salasana', '(?:ş|s)ifre', 'parola', 'heslo', 'jelsz(?:ó|o)', 'kata sandi', 'geslo', 'lozinka', 'mật khẩu'],
  ...['пароль', 'парола', 'κωδικός', 'رمز عبور', 'كلمة المرور', 'סיסמה', 'รหัสผ่าน', 'पासवर्ड', '密码', '密碼', 'パスワード', '비밀번호', 'secret(?:[_ -]?key)?', 'refresh_?token', 'access_?token', 'id_?token', 'auth_?token', 'api[_ -]?key', 'private_?key'],
].join('|'); // biome-ignore format: a list of words
const NAMES = `${PASSWORDS}|assertion|auth_?code|credentials?[_ -]?(?:json|file)?`;

const rule = (source: string, flags = ''): RegExp => new RegExp(source, `dg${flags}`);

/** Each has the secret in its group `s`. All are tried on the text as it is. */
const SECRETS: readonly RegExp[] = [
  // By form.
  rule(String.raw`-----BEGIN [A-Z ]*PRIVATE KEY-----(?<s>[\s\S]*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`),
  rule(String.raw`\b(?<s>ya29\.[\w.-]*|1\/\/[\w-]{6,}|[14]\/0?[\w-]{20,}|4(?:%2F|\/)[\w.-]{4,}|GOCSPX-[\w-]*|AIza[\w-]{20,})`, 'i'),
  rule(String.raw`\b(?<s>mg_[\w-]{6,}|re_[\w-]{16,}|SG\.[\w.-]{16,}|xkeysib-[\w-]+|key-[\da-f]{24,}|AKIA[A-Z\d]{12,}|sk_(?:live|test)_\w+|gh[pousr]_\w{20,})`),
  rule(String.raw`\b(?<s>eyJ[\w-]{8,}(?:\.[\w-]*)*)`),
  rule(String.raw`\b(?<s>[a-z]{4}([ \u00a0-])[a-z]{4}\2[a-z]{4}\2[a-z]{4})\b`, 'i'),
  rule(String.raw`\b(?!misconfiguration|responsibilities|internationally|characterization|artifactregistry)(?<s>[a-z]{16}|[A-Z]{16})\b`),
  rule(String.raw`^(?=[\w+/]*[A-Z\d])(?<s>[\w+/]{8,}={0,2})$`, 'm'),
  rule(String.raw`(?<![\w./])(?=[\w+=-]{0,200}[a-z])(?=[\w+=-]{0,200}[A-Z])(?=[\w+=-]{0,200}\d)(?<s>[\w+=-]{28,})`),
  // By the name before it.
  rule(String.raw`\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic)\s+)?(?<s>[^\s"',}]+)`, 'i'),
  rule(String.raw`\b(?:bearer|basic)\s+(?!auth|token|realm|challenge|credential|scheme)(?<s>[\w.~+/=-]{8,})`, 'i'),
  rule(
    String.raw`\bAUTH\s+(?:PLAIN|LOGIN|XOAUTH2|OAUTHBEARER|CRAM-MD5)\s+(?!LOGIN|PLAIN|XOAUTH2|OAUTHBEARER|CRAM|XOAUTH|SCRAM|mechanism)(?<s>[\w+/=-]{4,})`,
    'i',
  ),
  rule(String.raw`(?:334 (?:Username|Password):[^\n]*\n(?:[A-Z]+: )?)(?<s>[\w+/=]{4,})`, 'i'),
  rule(String.raw`[?&](?:plt|code|key)=(?<s>[^\s&"'>]+)`, 'i'),
  rule(String.raw`(?:${NAMES})["'\]\\]*(?:\s*:\s*\w+(?=\s*=))?\s*(?:=>|->|:=|[:=：])\s*(?:u|b|r|f)?(?<q>\\*["'\x60])(?!${EMPTY})(?<s>(?:(?!\k<q>)[^\n])+)`, 'iu'),
  rule(String.raw`(?:${NAMES})["'\]\\]*(?:\s*:\s*\w+(?=\s+=))?\s*(?:=>|->|:=|[:=：])\s*(?!\\*["'\x60]|${EMPTY})(?<s>[^\n]+?)(?=\s+[\w-]{1,30}[:=]|\s--?\w|["',;&}]|$)`, 'imu'),
  rule(String.raw`(?:${NAMES})["'\]]?(?: (?:is|was|ist|war|es|est|lautet|è|é|jest|är))\s+["']?(?!not\b|in\b|un|wrong|required|missing|set\b|right|correct|the\b|no\b|too\b|empty|${EMPTY})(?<s>[^\s"',;]+)`, 'iu'),
  rule(String.raw`["'][\w.-]*(?:${NAMES})[\w.-]*["']\s*,\s*${QUOTED}`, 'iu'),
  rule(String.raw`(?:name|key)=["'][^"'\n]*(?:${NAMES})[^"'\n]*["']\s+value=(?<q>["'])(?<s>[^"'\n]+)`, 'iu'),
  rule(String.raw`<(?:[\w-]*(?:${NAMES}))>(?<s>[^<\n]+)<`, 'iu'),
  rule(String.raw`^\s*(?:password|passwd|pass|smtp_pass)[ \t]+(?<s>\S+)[ \t]*$`, 'im'),
  rule(String.raw`\b(?:login|user|account)\s+\S+\s+(?:password|passwd|pass)\s+(?<s>\S+)`, 'i'),
  // By the name before it, in the manner of one format: YAML blocks, name and value apart, Terraform, TOML, command lines.
  rule(String.raw`(?:${NAMES})["'\]]*\s*[:=]\s*[|>][-+\d]*\s*\n?\s*(?<s>[^\s][^\n]*)`, 'iu'),
  rule(String.raw`(?:name|key)["']?\s*[:=]\s*["']?[\w.-]*(?:${NAMES})[\w.-]*["']?[\s,]*["']?value["']?\s*[:=]\s*(?<q>["']?)(?<s>[^\s"']+)`, 'iu'),
  rule(String.raw`variable\s+["'][\w-]*(?:${NAMES})[\w-]*["']\s*\{[^}]{0,400}?default\s*=\s*${QUOTED}`, 'iu'),
  rule(String.raw`(?:${NAMES})["'\]]*\s*[:=]\s*(?<q>"{3}|'{3})(?<s>[^\n]+?)\k<q>`, 'iu'),
  rule(String.raw`\b(?:ENV|ARG|setx|setenv|set(?:\s+-\w+)*)\s+[\w.-]*(?:${NAMES})[\w.-]*\s+(?!=|to\b|in\b|for\b|is\b|was\b|not\b|and\b)(?<q>["']?)(?<s>[^\s"']+)`, 'iu'),
  rule(String.raw`[._\-](?:${NAMES})[ \t]+(?!\d{3}[\- ]|\d+\.\d)(?=[^\s"']*[\d!#$%&*?@^~])(?<s>[^\s"']{4,})`, 'iu'),
  rule(String.raw`\bpass(?:word|wd)?[ \t]+${QUOTED}`, 'i'),
  rule(String.raw`--from-literal[= ]["']?[\w.-]+=["']?(?<s>[^\s"']+)`, 'i'),
  rule(String.raw`\bsend\s+(?:--\s+)?["'](?<s>[^"'\n]+?)(?:\\+r|\\+n|\n)`, 'i'),
  rule(String.raw`Credentials::(?:new|from)\s*\([^\n]{0,200}?,\s*\w+(?:::\w+)*\(\s*${QUOTED}`, 'i'),
  // By the name before it, with a call, a default or an option between the two.
  rule(String.raw`(?:${PASSWORDS})(?:(?<=\w)[\w.-]*)?["'\])\x60]*(?:\s|[=:,(){}|&?]|--\w+|\bor\b|\bdefault\b|\b\w+\(){1,10}(?!["'\x60](?:projects\/|[A-Z][A-Z\d]*_[A-Z\d_]*["'\x60]))${QUOTED}(?!\s*(?::|=>))`, 'iu'),
  rule(String.raw`(?:echo|printf)\s+(?:-n\s+)?${QUOTED}\s*\|[^\n]*(?:${NAMES})`, 'iu'),
  rule(String.raw`(?:${NAMES})[^\n]*<<<\s*${QUOTED}`, 'iu'),
  rule(String.raw`pass\w*eval\s*=?\s*["']{0,2}(?:echo|printf)\s+(?<s>[^\s"']+)`, 'i'),
  rule(String.raw`(?:${NAMES})["']?\s*(?:\/\w+)?>\s*<(?:value|string)>(?<s>[^<\n]+)`, 'iu'),
  rule(String.raw`(?:${NAMES})<\/\w+>\s*<\w+>(?<s>[^<\n]+)<`, 'iu'),
  rule(String.raw`\|\s*\**[\w -]{0,20}(?:${NAMES})\**\s*\|\s*(?!${EMPTY})(?<s>[^|\n]+?)\s*\|`, 'iu'),
  rule(String.raw`(?:${NAMES})(?::\*\*|\*\*\s*:)\s*(?!${EMPTY})(?<s>\S+)`, 'iu'),
  rule(String.raw`(?:password|passwd|\bpw)[ \t]+(?!\d{3}[- ]|\d+\.\d|["'\x60<(\[])(?=\S*[A-Za-z])(?=\S*[\d!#$%&*^~])(?<s>[^\s"',;]{5,})`, 'i'),
  rule(String.raw`(?:^|\s)(?:-p[ =]?|\/p:)["']?(?=[^\s"']*[A-Za-z])(?=[^\s"']*[\d!#$%&*^~])(?![^\s"']*[/:])(?<s>[^\s"']{6,})`, 'm'),
  rule(String.raw`(?:${PASSWORDS})[._]?\d*["'\]]*[=:](?!${EMPTY})(?=[^\s"']*[\d!#$%&*^~])(?<s>[^\s"',;&}]{4,})`, 'iu'),
  rule(String.raw`^[ \t]*(?:[\w-]+ )?(?:${PASSWORDS})[ \t]*\n[ \t]*(?=\S*[A-Za-z])(?=\S*[\d!#$%&*^~])(?!\d{3}[- ])(?<s>\S{5,})[ \t]*$`, 'imu'),
  rule(String.raw`"P:(?<s>[^"\n]+)"`),
  rule(String.raw`\bclient_send\s*=[^\n]*:\s*(?<s>[^\s:]+)\s*$`, 'im'),
  rule(String.raw`\bAUTH\s+\w+[^\n]*\/\*\s*(?<s>[^*\n]+?)\s*\*\/`, 'i'),
  // By the option of a program: curl, swaks, sendEmail, mailx, PowerShell.
  rule(String.raw`(?:^|\s)(?:-u|--user|--proxy-user)[ =]?["']?[^\s:"']*:(?<s>[^\s"']+)`, 'im'),
  rule(String.raw`(?:^|\s)-{1,2}(?:ap|xp|auth-password|auth-pass|smtp-pass(?:word)?|pass(?:word)?|pw|smtp-auth-password)(?:[ =]+)(?<q>["']?)(?<s>[^\s"']+)\k<q>`, 'im'),
  rule(String.raw`ConvertTo-SecureString\s+(?:-String\s+)?${QUOTED}`, 'i'),
  // By its place in a call.
  rule(String.raw`(?:\.|->|::|\b)(?:login|authenticate|auth|authentication|NetworkCredential|PasswordAuthentication|setPassword|connect|Credentials::(?:new|from)|SMTP|basic_?auth|with_credentials|credentials|starttls_login)\s*\([^\n]{0,200}?,\s*${QUOTED}(?:\.\w+\(\))?\s*\)`, 'i'),
  rule(String.raw`\bsetPassword\s*\(\s*${QUOTED}`, 'i'),
  rule(String.raw`\bPlainAuth\s*\(\s*[^,\n]*,\s*[^,\n]*,\s*${QUOTED}`, 'i'),
  rule(String.raw`\bNew(?:Plain)?Dialer\s*\([^\n]*,\s*${QUOTED}\s*\)`, 'i'),
  rule(String.raw`["'\x60]${ADDRESS}["'\x60](?:\.\w+\(\))?\s*(?:,|=>|\))\s*(?!["'\x60]${ADDRESS}["'\x60])${QUOTED}`, 'i'),
  // Behind an account: mail URLs, sasl_passwd, passwd.client, "me@example.com / password".
  rule(String.raw`\b[a-z][a-z\d+.-]{0,20}:\/\/[^\s:/"'<>]{0,200}:(?<s>[^\s"'<>]{1,300})@`, 'i'),
  rule(String.raw`${ADDRESS}:(?!\d{2,5}(?:\D|$))(?<s>[^\s"'<>,;)\]}]+)`),
  rule(String.raw`${ADDRESS}["']?\s*[/|,;]\s*["']?(?!["']?${ADDRESS})(?=\S*[^\s\w"',;]|\S*\d|\S*[a-z][A-Z])(?!\/)(?<s>[^\s"',;]{4,})`),
  rule(String.raw`${ADDRESS}["']?[ \t]+["']?(?!${ADDRESS}|\d{3}[- ]|\d+\.\d|[\w-]+:|\()(?=[^\s]*\d)(?=[^\s]*[A-Za-z!#$%&*])(?<s>[^\s"',;<>()]{5,})`),
  rule(String.raw`(?:^|\s)[*\w.-]*(?:google|gmail)[\w.*-]*:(?!\d+(?:\s|$))[^:\s/]+:(?<s>\S+)`, 'im'),
]; // biome-ignore format: one rule a line reads as a table

export type Span = readonly [start: number, end: number];

/** Where secrets stand, first to last, without overlap. */
export function secretSpans(text: string): Span[] {
  const found: Span[] = [];
  for (const pattern of SECRETS)
    for (const { indices } of text.matchAll(pattern)) if (indices?.groups?.['s']) found.push(indices.groups['s']);
  found.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [start, end] of found) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

/** The text without passwords, tokens and keys; as many lines as before. */
export function mask(text: string): string {
  return maskPart(text, secretSpans(text), 0, text.length);
}

/** The piece of a text from `from` to `to`, with the secrets of the whole text masked in it. */
export function maskPart(text: string, spans: readonly Span[], from: number, to: number): string {
  let shown = '';
  let at = from;
  for (const [start, end] of spans) {
    if (end <= from || start >= to) continue;
    const hidden = text.slice(Math.max(start, from), Math.min(end, to));
    shown += text.slice(at, Math.max(start, at)) + hidden.replace(/[^\n]+/g, MASKED);
    at = Math.min(end, to);
  }
  return shown + text.slice(at, Math.max(to, at));
}
