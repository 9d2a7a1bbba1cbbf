/** What a person does on the consent page; by default they choose the account that is proposed, tick everything and allow. */
export interface Choice {
  readonly account?: string;
  readonly untick?: boolean;
  readonly decision?: 'allow' | 'deny';
}

/** Fills in the consent page as a browser would, and answers where it sends the browser; '' if it stays. */
export async function consentAt(url: string, { account, untick = false, decision = 'allow' }: Choice = {}): Promise<string> {
  const page = await fetch(url, { redirect: 'manual' });
  const html = await page.text();
  const inputs = [...html.matchAll(/<input ([^>]+)>/g)].map(([, text = '']) => ({
    type: attribute(text, 'type'),
    name: attribute(text, 'name'),
    value: attribute(text, 'value'),
    checked: / checked/.test(text),
  }));
  const form = new URLSearchParams();
  for (const { type, name, value, checked } of inputs) {
    if (type === 'hidden' || (type === 'checkbox' && !untick)) form.append(name, value);
    if (type === 'radio' && account === undefined && checked) form.append(name, value);
    if (type === 'email' && account === undefined) form.append(name, value);
  }
  if (account !== undefined) form.append('other', account);
  form.append('decision', decision);
  const reply = await fetch(new URL('/o/oauth2/v2/auth', url), { method: 'POST', body: form, redirect: 'manual' });
  return reply.headers.get('location') ?? '';
}

const attribute = (text: string, name: string): string =>
  (new RegExp(`${name}="([^"]*)"`).exec(text)?.[1] ?? '').replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
