import type { Filled } from '../../mail/batch.ts';
import { fingerprint, parseRequest } from '../../mail/message/email.ts';
import { GMAIL_RECIPIENTS_MAX } from '../../mail/message/permissions.ts';
import { prepareTime } from '../../mail/message/scheduled-at.ts';
import { MailFailure, toFailure } from '../../mail/model/failure.ts';
import type { FunctionContext } from '../../runtime/function-context.ts';

type Fields = Readonly<Record<string, unknown>>;
type Context = Pick<FunctionContext, 'routesFile' | 'config' | 'digest'>;

/**
 * The body of a request with its `template: {id, variables}` rendered: the template gives `html` and `text`, and `subject` if the
 * request has none, as in Resend's contract. The request is hashed as it was asked for, since the template may change between two
 * tries. Any other body is returned unchanged. Throws MailFailure: request_invalid, with every other problem of the email.
 */
export async function withTemplate(body: unknown, context: Context, later: boolean): Promise<Filled> {
  if (typeof body !== 'object' || body === null || !isGiven((body as Fields)['template'])) return { body };
  const { template, ...fields } = body as Fields;
  await prepareTime(fields);
  try {
    const { subject, ...words } = await rendered(template, fields, context);
    const filled = { ...fields, subject: isGiven(fields['subject']) ? fields['subject'] : subject, ...words };
    return { body: filled, ...hashOf(template as Fields, fields, context, later) };
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code !== 'request_invalid') throw error;
    throw new MailFailure('request_invalid', [failure.message, ...others(fields, later)].join(' '));
  }
}

/** Equal for equal requests, however their JSON was written. Nothing for an invalid email, which is refused when it is prepared. */
function hashOf({ id, variables }: Fields, fields: Fields, { config, digest }: Context, later: boolean): { requestHash?: string } {
  try {
    const hosts = config.attachments?.fetchFrom;
    const email = parseRequest({ ...fields, ...wordsOf(fields) }, hosts, later, undefined, GMAIL_RECIPIENTS_MAX);
    const asked = [id, isGiven(variables) ? variables : {}, isGiven(fields['subject']), fingerprint(email, digest)];
    return { requestHash: digest(JSON.stringify(asked, sorted)) };
  } catch {
    return {};
  }
}

/** A JSON value with the names of each object in order. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

async function rendered(template: unknown, fields: Fields, context: Context) {
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
    parseRequest({ ...fields, ...wordsOf(fields) }, undefined, later);
    return [];
  } catch (error) {
    return [toFailure(error).message];
  }
}

/** What stands in place of the template's words where only the other fields matter. */
const wordsOf = ({ subject }: Fields) => ({ subject: isGiven(subject) ? subject : 'x', html: 'x', text: undefined });

/** False for the values by which Resend's clients leave a field out. */
const isGiven = (value: unknown): boolean =>
  !(value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0));

const printable = (name: string): string => name.slice(0, 40).replace(/[^\w-]/g, '?');
