import { explain } from '../../../functions/diagnose/explain.ts';
import { DEFORMATIONS } from '../../diagnose/deformations.ts';

/** An error text and the cause that was confirmed for it. */
export interface Labelled {
  readonly id: string;
  readonly log: string;
  readonly cause: string;
}

export interface Judged extends Labelled {
  readonly answers: readonly { readonly cause: string; readonly confidence: number }[];
}

export const isFirst = ({ cause, answers }: Judged): boolean => answers[0]?.cause === cause;
export const isAmongThree = ({ cause, answers }: Judged): boolean => answers.slice(0, 3).some((one) => one.cause === cause);

export const judge = (texts: readonly Labelled[], deform: (text: string) => string = (text) => text): Judged[] =>
  texts.map((one) => ({ ...one, answers: explain(deform(one.log)).matches }));

/** One line of the stress table: how many causes are named first and among three under a deformation, and which texts lose theirs. */
export interface Stress {
  readonly deformation: string;
  readonly first: number;
  readonly amongThree: number;
  readonly lost: readonly string[];
}

export function stress(texts: readonly Labelled[]): Stress[] {
  const before = judge(texts);
  return Object.entries(DEFORMATIONS).map(([deformation, deform]) => {
    const after = judge(texts, deform);
    return {
      deformation,
      first: after.filter(isFirst).length,
      amongThree: after.filter(isAmongThree).length,
      lost: after.filter((one, place) => !isFirst(one) && before[place] && isFirst(before[place])).map(({ id }) => id),
    };
  });
}
