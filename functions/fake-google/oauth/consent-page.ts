import type { Client } from './clients.ts';

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --accent: #0b57d0; --on: #fff }
@media (prefers-color-scheme: dark) { :root { --accent: #a8c7fa; --on: #062e6f } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem }
main { border: 1px solid var(--line); border-radius: 1rem; padding: 1.5rem }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; overflow-wrap: anywhere } .faint { opacity: .75 }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem }
label { display: block; padding: .4rem 0; overflow-wrap: anywhere } input[type=email] { font: inherit; width: 100%; padding: .4rem }
button { font: inherit; padding: .6rem 1.4rem; border-radius: 2rem; border: 1px solid var(--line); cursor: pointer }
button[value=allow] { background: var(--accent); color: var(--on) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`;

const MEANING: Readonly<Record<string, string>> = {
  'https://www.googleapis.com/auth/gmail.send': 'Send email on your behalf',
  'https://www.googleapis.com/auth/gmail.metadata': 'View your email message metadata such as labels and headers, but not the email body',
  'https://mail.google.com/': 'Read, compose, send, and permanently delete all your email from Gmail',
};

/** The consent page: account, permissions (unticked, as Google shows them), Allow or Deny. */
export function consentPage(asked: ConsentRequest, accounts: readonly string[], problem = ''): string {
  const chosen = asked.hint || (accounts[0] ?? '');
  const listed = accounts.includes(chosen) || chosen === '';
  const choices = accounts.map(
    (one) => `<label><input type="radio" name="account" value="${text(one)}"${one === chosen ? ' checked' : ''}> ${text(one)}</label>`,
  );
  const kept = Object.entries(asked.query).map(([name, value]) => `<input type="hidden" name="${text(name)}" value="${text(value)}">`);
  const boxes = asked.choosable.map(
    (scope) =>
      `<label><input type="checkbox" name="grant" value="${text(scope)}"> ${text(MEANING[scope] ?? scope)} <span class="faint">${text(scope)}</span></label>`,
  );
  return page(
    'Choose an account and what the app may do',
    `<h1>${text(asked.client.id)} wants access to your Google Account</h1>
<p class="faint">This is the laptop's stand-in for Google: no password, nothing leaves this machine.</p>
${problem && `<p role="alert">${text(problem)}</p>`}
<form method="post" action="/o/oauth2/v2/auth">${kept.join('')}
<fieldset><legend>Account</legend>${choices.join('')}
<label><input type="radio" name="account" value=""${listed ? '' : ' checked'}> Another account</label>
<label>Its address <input type="email" name="other" autocomplete="off" value="${listed ? '' : text(chosen)}"></label></fieldset>
<fieldset><legend>Select what the app can access</legend>${boxes.join('') || '<p>Your address only.</p>'}</fieldset>
<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></form>`,
  );
}

/** The page that Google shows instead of consent, when it does not redirect the browser. */
export const blockedPage = (status: number, error: string, description: string): string =>
  page(
    'Access blocked',
    `<h1>Access blocked: Authorization Error</h1><p>${text(description)}</p><p>Error ${status}: <code>${text(error)}</code></p>`,
  );

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${text(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body><main>${body}</main></body></html>`;

const text = (value: string): string => value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A checked request for consent. */
export interface ConsentRequest {
  readonly client: Client;
  readonly redirect: string;
  readonly scopes: readonly string[];
  /** The scopes that the person may leave unticked: all except those of signing in. */
  readonly choosable: readonly string[];
  readonly hint: string;
  /** Every parameter as received, to be posted with the decision. */
  readonly query: Readonly<Record<string, string>>;
}
