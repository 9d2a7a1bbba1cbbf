const SAFE = Symbol('html');

/** Text that goes into a page unescaped. Only `html` makes it, so any other value is escaped. */
export interface Html {
  readonly [SAFE]: string;
}

/** Html with every value escaped, except other html and lists of it; null, undefined and false become nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return { [SAFE]: strings.map((text, index) => (index === 0 ? text : markup(values[index - 1]) + text)).join('') };
}

/** The page as text. */
export const textOf = (page: Html): string => page[SAFE];

function markup(value: unknown): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(markup).join('');
  if (typeof value === 'object' && SAFE in value) return String(value[SAFE]);
  return String(value).replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
