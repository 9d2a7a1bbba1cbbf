import { parseRequest } from '../../mail/message/email.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The body of a request with its `template: {id, variables}` rendered: the template gives `html` and `text`, and `subject` if the
 * request has none, as in Resend's contract. Any other body is returned unchanged. Throws MailFailure: request_invalid, with
 * every other problem of the email.
 */
export async function withTemplate(body: unknown, context: Pick<FunctionContext, 'routesFile'>, later: boolean): Promise<unknown> {
  if (typeof body !== 'object' || body === null || !isGiven((body as Fields)['template'])) return body;
  const { template, ...fields } = body as Fields;
  try {
    const { subject, ...words } = await rendered(template, fields, context);
    return { ...fields, subject: isGiven(fields['subject']) ? fields['subject'] : subject, ...words };
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code !== 'request_invalid') throw error;
    throw new MailFailure('request_invalid', [failure.message, ...others(fields, later)].join(' '));
  }
}

async function rendered(template: unknown, fields: Fields, context: Pick<FunctionContext, 'routesFile'>) {
  const { id, variables = {}, ...unknown } = Array.isArray(template) || typeof template !== 'object' ? {} : (template as Fields);
  const problems = [
    ...Object.keys(unknown).map(
      (name) => `Invalid \`template.${printable(name)}\` field: it is not read here; use \`id\` and \`variables\`.`,
    ),
    ...['html', 'text']
      .filter((name) => isGiven(fields[name]))
      .map((name) => `Invalid \`${name}\` field: it comes from \`template\`; leave one of them out.`),
  ];
  if (typeof id !== 'string' || id === '') problems.push('Invalid `template.id` field: expected the name of a file in config/templates.');
  if (variables !== null && (typeof variables !== 'object' || Array.isArray(variables)))
    problems.push('Invalid `template.variables` field: expected an object.');
  if (problems.length > 0) throw new MailFailure('request_invalid', problems.join(' '));
  const [{ compiledRoutes }, { renderTemplate }] = await Promise.all([
    import('../common/compiled-routes.ts'),
    import('../common/render-template.ts'),
  ]);
  const compiled = await compiledRoutes(context);
  return renderTemplate(String(id), variables ?? {}, compiled, 'emails', { name: 'template.id', data: 'template.variables' });
}

/** The other problems of the email. */
function others(fields: Fields, later: boolean): string[] {
  try {
    const [subject, html] = [isGiven(fields['subject']) ? fields['subject'] : 'x', 'x'];
    parseRequest({ ...fields, subject, html, text: undefined }, undefined, later);
    return [];
  } catch (error) {
    return [toFailure(error).message];
  }
}

/** False for the values by which Resend's clients leave a field out. */
const isGiven = (value: unknown): boolean =>
  !(value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0));

const printable = (name: string): string => name.slice(0, 40).replace(/[^\w-]/g, '?');
