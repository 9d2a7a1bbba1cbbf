import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { Compiled } from '../../notify/compiled.ts';
import type { RenderNamed } from './document-email.ts';

/**
 * Renders a template of config/templates with a document's `template.data` as `event`. Missing data is reported by field name
 * as the document's mistake. Throws MailFailure: request_invalid.
 */
export function documentWords(load: () => Promise<Compiled>): RenderNamed {
  return async (name, data) => {
    const { templates, partials } = await load();
    const words = Object.hasOwn(templates, name) ? templates[name] : undefined;
    if (!words) throw new MailFailure('request_invalid', 'Invalid `template.name` field: there is no such file in config/templates.');
    const { renderer, renderLine, requireOne } = await import('../../notify/templates/render.ts');
    const context = { event: data, attributes: {}, route: { name: 'documents', everySeconds: 0 }, optional: words.optional };
    try {
      requireOne(words, context);
      return {
        subject: renderLine(words.subject, context),
        html: renderer('html', partials.html)(words.html, context),
        ...(words.text && { text: renderer('text', partials.text)(words.text, context) }),
      };
    } catch (error) {
      const { code, message } = toFailure(error);
      if (code !== 'route_template') throw error;
      throw new MailFailure('request_invalid', `Invalid \`template.data\` field: ${message}.`);
    }
  };
}
