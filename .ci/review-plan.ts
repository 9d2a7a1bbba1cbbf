// The pipeline's look at a plan (infra/builds/plan.yaml): what it would do, in the log for whoever approves it. Ends with 1 where the plan must not be
// applied, or not by the pipeline. It needs Node alone.
import { readFileSync } from 'node:fs';
import { reviewPlan, reviewText } from '../functions/cli/deploy/review-plan.ts';

const review = reviewPlan(readFileSync(process.argv[2] ?? '', 'utf8'));
console.log(reviewText(review));
if (review.refused) console.error(review.refused);
else if (review.person.length > 0)
  console.error(
    `A person applies this plan, by \`npx mailgrant deploy\`: the pipeline may change nobody's rights, and has none for\n${review.person.map((one) => `  ${one}`).join('\n')}`,
  );
process.exitCode = review.refused || review.person.length > 0 ? 1 : 0;
