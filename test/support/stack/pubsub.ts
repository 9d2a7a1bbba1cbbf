/** What tests need of Pub/Sub, over REST. */
export interface PubSub {
  createTopic(topic: string): Promise<void>;
  /**
   * Deliveries go to `endpoint`, two at a time; what is refused comes again after a second. Without a retry policy:
   * with one, the emulator (0.8.20) now and then forgets a message that was refused.
   */
  createPush(subscription: string, topic: string, endpoint: string): Promise<void>;
  publish(topic: string, messages: readonly Message[]): Promise<void>;
}

export interface Message {
  readonly data: unknown;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Speaks to a Pub/Sub emulator at `url`; names have three characters or more. */
export function pubsubAt(url: string, project: string): PubSub {
  const call = async (method: string, path: string, body: unknown): Promise<void> => {
    const reply = await fetch(`${url}/v1/projects/${project}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text.slice(0, 200)}`);
  };
  const nameOf = (topic: string): string => `projects/${project}/topics/${topic}`;
  return {
    createTopic: (topic) => call('PUT', `topics/${topic}`, {}),
    createPush: (subscription, topic, pushEndpoint) =>
      call('PUT', `subscriptions/${subscription}`, {
        topic: nameOf(topic),
        ackDeadlineSeconds: 10,
        pushConfig: { pushEndpoint },
      }),
    publish: (topic, messages) =>
      call('POST', `topics/${topic}:publish`, {
        messages: messages.map(({ data, attributes = {} }) => ({
          data: Buffer.from(JSON.stringify(data)).toString('base64'),
          attributes,
        })),
      }),
  };
}
