import type { ContentStore } from '../../mail/delivery/ports.ts';
import { type QueueApi, queueService } from './queue-client.ts';

/** A Cloud Storage bucket, whose lifecycle deletes old content. Throws MailFailure: queue_unavailable, queue_refused. */
export function createContentStore(api: QueueApi, bucket: string): ContentStore {
  const storage = queueService('Cloud Storage', api);
  const object = (name: string): string => `/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    async put(name, content) {
      const path = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(name)}`;
      const reply = await storage.request({ method: 'POST', path, body: content, timeoutMs: 30_000 });
      if (reply.status !== 200) throw storage.failure(reply);
    },
    async get(name) {
      const reply = await storage.request({
        method: 'GET',
        path: `${object(name)}?alt=media`,
        timeoutMs: 30_000,
        maxBytes: CONTENT_MAX_BYTES,
      });
      if (reply.status === 404) return null;
      if (reply.status !== 200) throw storage.failure(reply);
      return reply.body.toString('utf8');
    },
    async remove(name) {
      const reply = await storage.request({ method: 'DELETE', path: object(name), timeoutMs: 15_000 });
      if (reply.status !== 204 && reply.status !== 404) throw storage.failure(reply);
    },
  };
}

const CONTENT_MAX_BYTES = 64 * 1024 * 1024; // a request of 32 MB, or a raw message of that size in base64
