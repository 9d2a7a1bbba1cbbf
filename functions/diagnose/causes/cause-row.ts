/** Why sending fails: what is wrong, what fixes it, and how mailgrant keeps it from happening. */
export interface CauseRow {
  readonly summary: string;
  /** Steps in order, each a console page, a command or a setting. `{project}` and the like are filled from the text. */
  readonly fix: readonly string[];
  readonly avoided: string;
}
