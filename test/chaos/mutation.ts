import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

export interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Ways to break the promise in a copy of the core: each must be found out. */
export const MUTATIONS = {
  /** The upload session is saved after the bytes have gone: who dies in between leaves no trace of them. */
  'session-after-bytes': [
    {
      file: 'functions/mail/delivery/attempt.ts',
      from: `      await write(attempt, { type: 'open'`,
      to: `      progress = await gmail.upload(sessionUri, made, 0, await ports.token(sender));
      await write(attempt, { type: 'open'`,
    },
  ],
  /** Only a lost reply counts as bytes that left: a 308 and a refused question make an email "not sent". */
  'proof-by-error-path': [
    {
      file: 'functions/mail/delivery/attempt.ts',
      from: `  attempt.proof = null;\n  try {`,
      to: `  try {`,
    },
    {
      file: 'functions/mail/delivery/attempt.ts',
      from: `=== 'google_unavailable') attempt.proof = proof;`,
      to: `=== 'delivery_unknown') attempt.proof = null;`,
    },
  ],
  /** A 4xx to the whole email is believed, and its session is not asked. */
  'refusal-is-proof': [
    {
      file: 'functions/mail/delivery/attempt.ts',
      from: `if (refused && gmail.refusalIsProof) {`,
      to: `if (refused) {`,
    },
  ],
  /** A task that has run is taken for one that waits: what came before its time by the clock of a worker is acknowledged, and is nowhere. */
  'taken-is-waiting': [
    {
      file: 'functions/mail/queue/publish-later.ts',
      from: `if (await taskQueue.get(taken)) return;`,
      to: `return;`,
    },
  ],
} as const satisfies Record<string, readonly Mutation[]>;

export type MutationName = keyof typeof MUTATIONS;

/** The file's text with the mutation in it. Throws where the place is not there exactly once: then it has to be written anew. */
export function mutated({ file, from, to }: Mutation, text: string): string {
  if (text.split(from).length !== 2) throw new Error(`${file} has changed: the mutation no longer finds its place`);
  return text.replace(from, () => to);
}

/** Builds the broken copy: nothing in the product can be switched to it. */
export const breaking = (name: MutationName): Plugin => breakingAt(MUTATIONS[name]);

/** The same at any places. */
export function breakingAt(mutations: readonly Mutation[]): Plugin {
  return {
    name: 'break',
    setup(build) {
      for (const [file, places] of Map.groupBy(mutations, (one) => one.file))
        build.onLoad({ filter: new RegExp(`${file.replace(/[.]/g, '\\.')}$`) }, ({ path }) => ({
          contents: places.reduce((text, place) => mutated(place, text), readFileSync(path, 'utf8')),
          loader: 'ts',
        }));
    },
  };
}
