const SAFE = Symbol('html');

/** Text that may stand in a page as it is. Only `html` makes it, so whatever else reaches a page is escaped. */
export interface Html {
  readonly [SAFE]: string;
}

/** Html with every value escaped, other html and lists of it excepted; null, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return { [SAFE]: strings.map((text, index) => (index === 0 ? text : markup(values[index - 1]) + text)).join('') };
}

/** The page as it goes out. */
export const textOf = (page: Html): string => page[SAFE];

function markup(value: unknown): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(markup).join('');
  if (typeof value === 'object' && SAFE in value) return String(value[SAFE]);
  return String(value).replace(/[&<>"'`]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
