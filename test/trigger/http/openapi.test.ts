/** docs/openapi.yaml is what the running function does: every example, every path, every verb, every error. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import * as z from 'zod';
import { FAILURE_CODES, failureInfo, MailFailure } from '../../../functions/mail/model/failure.ts';
import { errorAnswer } from '../../../functions/trigger/http/resend-answer.ts';
import { allowed } from '../../../functions/trigger/http/router.ts';
import { authorised, CONFIG, type Laptop, startLaptop } from '../../support/stack/laptop.ts';

type Schema = Record<string, unknown>;
interface Operation {
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: Schema; readonly examples: Record<string, { readonly value: unknown }> }>;
  };
  readonly responses: Record<string, Schema>;
  readonly security?: readonly unknown[];
}
interface Description {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: Record<string, Record<string, Schema>>;
}
const described = parse(readFileSync('docs/openapi.yaml', 'utf8')) as Description;

/** The value with every `$ref` in its place; nothing in the description refers to itself. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref } = value as { $ref?: string };
  if ($ref)
    return resolved(
      $ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], described),
    );
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner)]));
}
const problems = (schema: unknown, value: unknown): string[] =>
  z
    .fromJSONSchema(resolved(schema) as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(value)
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
const schemaOf = ({ responses }: Operation, status: number): unknown => {
  const response = resolved(responses[status] ?? responses['default']) as { content: Record<string, { schema: unknown }> };
  return response.content['application/json']?.schema;
};

let laptop: Laptop;
before(async () => {
  const limits = { perDay: 100, perMinute: 100 };
  laptop = await startLaptop({ config: { ...CONFIG, keys: CONFIG.keys.map((key) => ({ ...key, limits })) } });
});
after(() => laptop[Symbol.asyncDispose]());

const operations = Object.entries(described.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ path, verb: verb.toUpperCase(), operation })),
);
async function call(path: string, verb: string, body: BodyOf = null, headers: Record<string, string> = authorised) {
  const reply = await fetch(laptop.api + path, {
    method: verb,
    headers: { ...headers, ...(body && { 'content-type': body.type }) },
    ...(body && { body: body.text }),
  });
  return { status: reply.status, headers: reply.headers, body: (await reply.json()) as Record<string, unknown> };
}
type BodyOf = { readonly type: string; readonly text: string } | null;
const examples = operations.flatMap(({ path, verb, operation }) =>
  Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, { schema, examples }]) =>
    Object.entries(examples).map(([name, { value }]) => ({ path, verb, operation, type, schema, name, value })),
  ),
);

test('every path takes the verbs that are described, and no other', () => {
  for (const [path, verbs] of Object.entries(described.paths)) {
    const concrete = path.replace('{id}', '49a3999c-0ce1-4ea6-ab68-afcd6dc2e794');
    const served = allowed(concrete)
      .split(', ')
      .filter((verb) => verb !== 'HEAD');
    const beyond = served.filter((verb) => !(verb.toLowerCase() in verbs));
    // What is described is served; what is not is a resource that a sending key may not use.
    assert.deepEqual(
      Object.keys(verbs).filter((verb) => !served.includes(verb.toUpperCase())),
      [],
      path,
    );
    assert.ok(
      beyond.every((verb) => ['GET', 'PATCH'].includes(verb)),
      `${path} ${beyond}`,
    );
  }
});

for (const { path, verb, operation, type, schema, name, value } of examples)
  test(`${verb} ${path}: the example "${name}" is valid, and is answered as described`, async () => {
    assert.deepEqual(problems(schema, value), []);
    const { status, headers, body } = await call(path, verb, { type, text: typeof value === 'string' ? value : JSON.stringify(value) });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual(problems(schemaOf(operation, status), body), []);
    const { headers: named } = resolved(operation.responses['200']) as { headers: Record<string, unknown> };
    for (const header of Object.keys(named)) assert.ok(headers.get(header), header);
  });

for (const { path, verb, operation } of operations)
  test(`${verb} ${path} without a key, or with a wrong one, is answered as described`, async () => {
    for (const headers of [{}, { authorization: 'Bearer re_1' }]) {
      const { status, body } = await call(path, verb, null, headers as Record<string, string>);
      assert.equal(status === 200, operation.security?.length === 0);
      assert.deepEqual(problems(schemaOf(operation, status), body), []);
    }
  });

test('the record of a sent and of a failed email is as described', async () => {
  const operation = described.paths['/emails/{id}']?.['get'] as Operation;
  const text = JSON.stringify(examples.find(({ path }) => path === '/emails')?.value);
  laptop.google.faults.script({ on: 'open', answer: 'missing_scope' });
  for (const state of ['failed', 'sent']) {
    const { body } = await call('/emails', 'POST', { type: 'application/json', text });
    const record = await call(`/emails/${body['id']}`, 'GET');
    assert.deepEqual([record.body['outcome'], problems(schemaOf(operation, record.status), record.body)], [state, []]);
  }
});

test('every failure is an error as described, and every described name and status occurs', () => {
  const schema = described.components['schemas']?.['Error'] as { properties: { name: { enum: string[] }; statusCode: { enum: number[] } } };
  const answers = FAILURE_CODES.map((code) => errorAnswer(new MailFailure(code, 'x'), 0).body);
  for (const body of answers) assert.deepEqual(problems(schema, body), []);
  assert.deepEqual([...new Set(answers.map(({ name }) => name))].sort(), schema.properties.name.enum);
  assert.deepEqual([...new Set(FAILURE_CODES.map((code) => failureInfo(code).http))].sort(), schema.properties.statusCode.enum);
});

test('a value that is not as described is found', () => {
  assert.notDeepEqual(problems(described.components['schemas']?.['Error'], { statusCode: 422 }), []);
  assert.notDeepEqual(problems(described.components['schemas']?.['Id'], { id: 'x' }), []);
});
