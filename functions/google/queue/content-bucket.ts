import type { ContentStore } from '../../mail/delivery/ports.ts';
import { type QueueApi, queueFailure, queueRequest } from './queue-client.ts';

/** A bucket of Cloud Storage; its lifecycle deletes what is kept there. Throws MailFailure: queue_unavailable, queue_refused. */
export function createContentStore(line: QueueApi, bucket: string): ContentStore {
  const object = (name: string): string => `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    async put(name, content) {
      const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`;
      const reply = await queueRequest(line, { method: 'POST', path, body: content, timeoutMs: 30_000 });
      if (reply.status !== 200) throw queueFailure('Cloud Storage', reply);
    },
    async get(name) {
      const reply = await queueRequest(line, {
        method: 'GET',
        path: `${object(name)}?alt=media`,
        timeoutMs: 30_000,
        maxBytes: CONTENT_MAX_BYTES,
      });
      if (reply.status === 404) return null;
      if (reply.status !== 200) throw queueFailure('Cloud Storage', reply);
      return reply.body.toString('utf8');
    },
    async remove(name) {
      const reply = await queueRequest(line, { method: 'DELETE', path: object(name), timeoutMs: 15_000 });
      if (reply.status !== 204 && reply.status !== 404) throw queueFailure('Cloud Storage', reply);
    },
  };
}

const CONTENT_MAX_BYTES = 64 * 1024 * 1024; // a request of 32 MB, and a raw letter in base64 on top
