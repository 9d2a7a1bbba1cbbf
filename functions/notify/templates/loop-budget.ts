import Handlebars from 'handlebars/runtime.js';
import { MailFailure } from '../../mail/model/failure.ts';

/** So many rounds the loops of one template may take, all together: an event of 2 MB may have a list of a million. */
const ROUNDS_MAX = 10_000;
/** So many characters they may write, all together; an email of Gmail has 25 MB. */
const WRITTEN_MAX = 20_000_000;

/**
 * `{{#each}}` with a budget for one rendering, because the sender of an event decides how long its lists and texts are. Beyond the
 * budget it throws MailFailure route_template; in a template whose fields are optional the loop writes nothing more.
 */
export function loopWithin(): Handlebars.HelperDelegate {
  let rounds = 0;
  let written = 0;
  const over = (): string | null =>
    rounds > ROUNDS_MAX
      ? `its loops take more than ${ROUNDS_MAX} rounds`
      : written > WRITTEN_MAX
        ? `its loops write more than ${WRITTEN_MAX} characters`
        : null;
  return function each(this: unknown, list: unknown, options: Handlebars.HelperOptions) {
    const fn: Handlebars.TemplateDelegate = (...args) => {
      rounds += 1;
      const reason = over();
      if (reason === null) {
        const text = options.fn(...args);
        written += text.length;
        return text;
      }
      if ((options.data as { root?: { optional?: boolean } } | undefined)?.root?.optional) return '';
      throw new MailFailure('route_template', reason);
    };
    return Handlebars.helpers['each']?.call(this, list, { ...options, fn });
  };
}
