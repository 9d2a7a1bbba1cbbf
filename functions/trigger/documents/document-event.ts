import type { DocumentsConfig } from '../../mail/model/config.ts';
import { MailFailure } from '../../mail/model/failure.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const TYPE = /^google\.cloud\.firestore\.document\.v1\.(?:created|updated|written|deleted)(?:\.withAuthContext)?$/;
const SOURCE = /^\/\/firestore\.googleapis\.com\/projects\/([^/]+)\/databases\/([^/]+)$/;

/**
 * The document that a Firestore event names, from the CloudEvent attributes in the request's headers. A document outside the
 * configured collection is refused. Throws MailFailure: request_invalid.
 */
export function documentIn(
  headers: Headers,
  project: string,
  { collection, database }: DocumentsConfig,
): { name: string; eventId: string } {
  const get = (name: string): string => decoded(String(headers[`ce-${name}`] ?? ''));
  const eventId = get('id');
  const [, inProject, inDatabase] = SOURCE.exec(get('source')) ?? [];
  const path = /^documents\/(.+)$/.exec(get('subject'))?.[1] ?? '';
  if (!TYPE.test(get('type')) || eventId === '' || inDatabase === undefined)
    throw new MailFailure('request_invalid', 'the request is not a CloudEvent of a Firestore document');
  if (inProject !== project || inDatabase !== database) throw new MailFailure('request_invalid', 'the event is from another database');
  if (!isIn(collection, path))
    throw new MailFailure('request_invalid', 'the document is not in the collection of `documents` in the config');
  return { name: `projects/${project}/databases/${database}/documents/${path}`, eventId };
}

/** True if this is the full name of a document in the configured collection. */
export const isConfigured = (name: string, project: string, { collection, database }: DocumentsConfig): boolean => {
  const [root = '', path = ''] = name.split('/documents/');
  return root === `projects/${project}/databases/${database}` && isIn(collection, path);
};

/** True for a document directly in the collection; `{any}` matches one path segment. */
function isIn(collection: string, path: string): boolean {
  const wanted = collection.split('/');
  const parts = path.split('/');
  const fits = (part: string | undefined, index: number): boolean => part === wanted[index] || /^\{\w+\}$/.test(wanted[index] ?? '');
  return (
    parts.length === wanted.length + 1 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    wanted.every((_, index) => fits(parts[index], index))
  );
}

/** CloudEvents percent-encodes characters in headers that are not printable ASCII. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
