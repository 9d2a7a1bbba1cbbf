import MailComposer from 'nodemailer/lib/mail-composer';
import MimeNode from 'nodemailer/lib/mime-node';

export type Options = NonNullable<ConstructorParameters<typeof MailComposer>[0]>;
export type Node = ReturnType<MailComposer['compile']>;

/**
 * The mail as nodemailer's tree, without two habits that are a third of composing a small one: it spells the name of a header anew, by three
 * regular expressions, at each of some forty looks at it; and it draws random bytes for each part, though boundaries come from
 * the root's alone. What is written stays the same to the byte.
 */
export const compile = (options: Options): Node => new MailComposer(options).compile();

interface Habits {
  _normalizeHeaderKey(key: string): string;
  createChild(type: unknown, options?: object): unknown;
  readonly baseBoundary: string;
}
const habits = MimeNode.prototype as unknown as Habits;
const { _normalizeHeaderKey: spell, createChild } = habits;

const spelled = new Map<string, string>();
const SPELLED_MAX = 200; // names of callers' own headers come here too

habits._normalizeHeaderKey = (key) => {
  const known = spelled.get(key);
  if (known !== undefined) return known;
  const name = spell.call(habits, key);
  if (spelled.size < SPELLED_MAX) spelled.set(key, name);
  return name;
};

habits.createChild = function (this: Habits, type, options) {
  return createChild.call(this, type, { baseBoundary: this.baseBoundary, ...options });
};
