import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { Compiled } from '../../notify/compiled.ts';

/** Subject and bodies, as a template renders them. */
export interface RenderedContent {
  readonly subject: string;
  readonly html: string;
  /** Absent if the text part is made from the html. */
  readonly text?: string;
}

/**
 * Renders a template of config/templates with a caller's data, which the template reads as `event`. A failure names the values
 * that the data lacks; `fields` are the request fields of the template's name and data. Throws MailFailure: request_invalid.
 */
export async function renderTemplate(
  name: string,
  data: unknown,
  { templates, partials }: Compiled,
  route: string,
  fields: { readonly name: string; readonly data: string },
): Promise<RenderedContent> {
  const words = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (!words) throw new MailFailure('request_invalid', `Invalid \`${fields.name}\` field: there is no such file in config/templates.`);
  const { renderer, renderLine, requireOne } = await import('../../notify/templates/render.ts');
  const context = { event: data, attributes: {}, route: { name: route, everySeconds: 0 }, optional: words.optional };
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
    throw new MailFailure('request_invalid', `Invalid \`${fields.data}\` field: ${message}.`);
  }
}
