/** The options of a command as they were given. */
export type Options = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** What a command found: data for `--json`, text for a person, and the exit code (0 unless given). */
export interface Answer {
  readonly data: unknown;
  readonly text: string;
  readonly exitCode?: number;
}

/** One command of `npx mailgrant`: how it is called, and what it answers. It never prints. */
export interface Command {
  readonly summary: string;
  readonly help: string;
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly multiple?: true }>>;
  /** The name of the one positional argument, where there is one. */
  readonly argument?: string;
  run(options: Options, argument?: string, ...more: readonly string[]): Promise<Answer>;
}

export const CONFIG = 'config/mailgrant.yaml';
