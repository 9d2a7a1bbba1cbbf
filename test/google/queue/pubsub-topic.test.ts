import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTopic } from '../../../functions/google/queue/pubsub-topic.ts';
import { SecretString } from '../../../functions/mail/model/secret.ts';

const answering = (status: number, body: unknown) =>
  createTopic(
    {
      baseUrl: 'http://127.0.0.1:1',
      exchange: async () => ({ status, headers: {}, body: Buffer.from(JSON.stringify(body)) }),
      token: async () => ({ secret: new SecretString('t'), expiresAt: 0 }),
    },
    'projects/p/topics/t',
  );
const MESSAGE = { data: '{}', attributes: {} };

test('a message is durable once Pub/Sub names it', () => answering(200, { messageIds: ['1'] }).publish(MESSAGE));

for (const body of [{}, { messageIds: [] }, { messageIds: ['1', '2'] }, null, 'OK'])
  test(`a 200 that names no message is none: ${JSON.stringify(body)}`, () =>
    assert.rejects(answering(200, body).publish(MESSAGE), { code: /^queue_/ }));
