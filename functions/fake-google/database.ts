import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** A SQLite file, or ':memory:', whose statements are compiled once: compiling one costs as much as running it. */
export interface Database {
  readonly db: DatabaseSync;
  /**
   * The query plan of each statement that was used since the last call, by `EXPLAIN QUERY PLAN`, and how many statements were
   * used.
   */
  usage(): { readonly plans: readonly string[]; readonly statements: number };
}

export function openDatabase(file: string): Database {
  const db = new Remembering(file, { timeout: 5_000 });
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL');
  return { db, usage: () => db.usage() };
}

class Remembering extends DatabaseSync {
  readonly #compiled = new Map<string, StatementSync>();
  readonly #used = new Map<string, number>();

  override prepare(sql: string): StatementSync {
    const statement = this.#compiled.get(sql) ?? super.prepare(sql);
    this.#compiled.set(sql, statement);
    this.#used.set(sql, (this.#used.get(sql) ?? 0) + 1);
    return statement;
  }

  usage(): ReturnType<Database['usage']> {
    const plans = [...this.#used.keys()].flatMap((sql) =>
      super
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => `${detail}: ${sql}`),
    );
    const statements = [...this.#used.values()].reduce((sum, times) => sum + times, 0);
    this.#used.clear();
    return { plans, statements };
  }
}
