import type { Archive } from '../build/archive.ts';
import type { Made } from './deploy-steps.ts';
import type { Programs } from './program.ts';
import type { Smoked } from './smoke-command.ts';

/** What a deployment needs from outside. */
export interface DeployPorts {
  readonly programs: Programs;
  /** Bundles and packs the functions. Throws ConfigProblems. */
  build(): Promise<readonly Archive[]>;
  say(line: string): void;
  /** True to go on. */
  confirm(question: string): Promise<boolean>;
  wait(ms: number): Promise<void>;
  /** Writes import blocks beside the files of infra/ until the plan is made; '' removes them. */
  writeImports(blocks: string): void;
  /** Sentences about emails that wait and that the new config would refuse; none where nothing waits. */
  waiting(): Promise<readonly string[]>;
  /** Sends an email through what was deployed, whatever the environment says of another deployment. */
  smoke(made: Made): Promise<Smoked>;
}
