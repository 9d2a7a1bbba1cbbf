/** The options of a command as given. */
export type CommandOptions = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** Why a command did not do what it was asked, for programs and for people. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly fix: string | null;
}

/**
 * The result of a command: an object (no list) for `--json`, text for a person, and the exit code (0 by default). With `error`
 * the text goes to standard error; a report that something is wrong has only an exit code.
 */
export interface CommandAnswer {
  readonly data: object;
  readonly text: string;
  readonly exitCode?: number;
  readonly error?: Problem;
  /** With --json the whole answer is one line. */
  readonly oneLine?: true;
}

export interface Option {
  readonly about: string;
  /** The name of its value, such as FILE; an option without it is a switch. A FILE or DIR is relative to the current folder. */
  readonly value?: string;
  /** It may be given more than once. */
  readonly many?: true;
}

export type OptionTable = Readonly<Record<string, Option>>;

/** A command: its options and arguments, and the function that runs it. It never prints. */
export interface Leaf {
  readonly summary: string;
  /** Its arguments: `<REQUIRED>`, `[OPTIONAL]`, `[MANY...]`. */
  readonly arguments?: string;
  readonly options?: OptionTable;
  /** Examples of what to type after `npx mailgrant`. */
  readonly examples: readonly string[];
  readonly notes?: string;
  run(options: CommandOptions, ...words: readonly string[]): Promise<CommandAnswer>;
}

/** A command whose first word selects what to do, such as `key create`. */
export interface Group {
  readonly summary: string;
  readonly notes?: string;
  readonly commands: Readonly<Record<string, Leaf>>;
}

export type Command = Leaf | Group;

/** The options that the commands about a deployment share. */
export const PROJECT_OPTION: OptionTable = { project: { value: 'ID', about: 'project of the deployment (GOOGLE_CLOUD_PROJECT)' } };
export const PREFIX: OptionTable = { prefix: { value: 'NAME', about: 'name_prefix of infra/ (mailgrant)' } };
export const DATABASE: OptionTable = {
  database: { value: 'ID', about: 'Firestore database of the ledger (MAILGRANT_DATABASE, or mailgrant, as infra/ names it)' },
};
export const ENV: OptionTable = {
  env: { value: 'NAME', about: 'environment, such as staging: the config NAME.yaml beside the usual one' },
};
export const DRY_RUN: OptionTable = { 'dry-run': { about: 'say what would be done, change nothing' } };
export const YES: OptionTable = { yes: { about: 'do not ask' } };
