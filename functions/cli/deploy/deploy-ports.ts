import type { Archive } from '../build/archive.ts';
import type { Made } from './deploy-steps.ts';
import type { Programs } from './program.ts';
import type { Smoked } from './smoke-command.ts';

/** What a deployment asks of the world. */
export interface DeployPorts {
  readonly programs: Programs;
  /** Bundles and packs the functions. Throws ConfigProblems. */
  build(): Promise<readonly Archive[]>;
  say(line: string): void;
  /** True to go on. */
  confirm(question: string): Promise<boolean>;
  wait(ms: number): Promise<void>;
  /** Lays import blocks beside the files of infra/ until the plan is made; '' takes them away. */
  writeImports(blocks: string): void;
  /** Through what was made, whatever the environment says of another deployment. */
  smoke(made: Made): Promise<Smoked>;
}
