/** One line of a template's front matter. */
export interface FrontMatterField {
  readonly text: string;
  readonly line: number;
}

interface Split {
  readonly fields: Readonly<Record<string, FrontMatterField>>;
  readonly body: string;
  /** The line of the file on which the body begins. */
  readonly bodyLine: number;
  readonly problems: readonly { readonly line: number; readonly reason: string }[];
}

/**
 * Splits the front matter of a template, `name: text` between two lines of `---`, from the body. Each name of `wanted` is
 * required, each of `possible` is optional.
 */
export function splitFrontMatter(text: string, wanted: readonly string[], possible: readonly string[] = []): Split {
  const lines = text.split(/\r?\n/);
  const end = lines.indexOf('---', 1);
  if (lines[0] !== '---' || end < 0)
    return { fields: {}, body: text, bodyLine: 1, problems: [{ line: 1, reason: 'expected a head: ---, subject: …, ---' }] };
  const fields: Record<string, FrontMatterField> = {};
  const problems: { line: number; reason: string }[] = [];
  for (const [index, given] of lines.slice(1, end).entries()) {
    const line = index + 2;
    const [, name = '', value = ''] = /^([a-z_]+):\s*(.*?)\s*$/.exec(given) ?? [];
    if (given.trim() === '') continue;
    const known = [...wanted, ...possible];
    if (!known.includes(name)) problems.push({ line, reason: `expected ${known.map((one) => `${one}: …`).join(' or ')}` });
    else fields[name] = { text: /^".*"$/.test(value) ? value.slice(1, -1) : value, line };
  }
  for (const name of wanted) if (!fields[name]?.text) problems.push({ line: 1, reason: `the head has no ${name}` });
  return { fields, body: lines.slice(end + 1).join('\n'), bodyLine: end + 2, problems };
}
