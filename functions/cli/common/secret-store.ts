import type { SecretManagerServiceClient } from '@google-cloud/secret-manager';
import { MailFailure } from '../../mail/model/failure.ts';
import { SecretString } from '../../mail/model/secret.ts';
import { googleUrls } from '../../runtime/google-urls.ts';
import { loginOf } from './google-clients.ts';
import type { Operator } from './operator.ts';
import { CommandError } from './refusal.ts';

/** Secret Manager for an operator. Every method throws CommandError or MailFailure, never an error of the client library. */
export interface SecretStore {
  /** Whether the secret exists, and if so, whether versions may be added. A missing secret would be created. */
  look(secret: string): Promise<{ readonly exists: boolean; readonly writable: boolean }>;
  /** Numbers of the enabled versions, newest first; none if there is no such secret. */
  enabled(secret: string): Promise<number[]>;
  /** Numbers of the disabled versions, newest first: they may hold grants that Google still accepts. */
  disabled(secret: string): Promise<number[]>;
  enable(secret: string, version: number): Promise<void>;
  read(secret: string, version: number | 'latest'): Promise<SecretString>;
  /** Makes the secret; false if it was there already. */
  create(secret: string): Promise<boolean>;
  /** Adds a version; returns its number. */
  add(secret: string, payload: SecretString): Promise<number>;
  /** Deletes a secret that has no version; false if it has one. */
  removeEmpty(secret: string): Promise<boolean>;
  disable(secret: string, version: number): Promise<void>;
}

const MAY_ADD = 'secretmanager.versions.add';

/** Opens it for a project. The client library is loaded here, over REST, which loads in a third of the time of gRPC. */
export async function openSecretStore(operator: Operator): Promise<SecretStore> {
  const { project } = operator.settings;
  const client = await clientFor(operator);
  const named = (secret: string): string => `projects/${project}/secrets/${secret}`;

  const inState = async (secret: string, states: readonly unknown[]): Promise<number[]> => {
    const listed = await client.listSecretVersions({ parent: named(secret) }, READING).catch((error: unknown) => {
      if (codeOf(error) === NOT_FOUND) return [[]];
      throw failureOf(error, 'secret_unreadable', secret);
    });
    const versions = listed[0] as { name?: string | null; state?: unknown }[];
    return versions
      .filter(({ state }) => states.includes(state))
      .map(({ name }) => numberOf(name))
      .sort((a, b) => b - a);
  };
  return {
    // An operator who may only add versions may not read the secret, so that question comes second.
    async look(secret) {
      const [{ permissions }] = await client
        .testIamPermissions({ resource: named(secret), permissions: [MAY_ADD] }, READING)
        .catch((error: unknown) => {
          throw failureOf(error, 'secret_not_writable', secret);
        });
      if (permissions?.includes(MAY_ADD)) return { exists: true, writable: true };
      return client.getSecret({ name: named(secret) }, READING).then(
        () => ({ exists: true, writable: false }),
        (error: unknown) => {
          if (codeOf(error) === NOT_FOUND) return { exists: false, writable: true };
          throw failureOf(error, 'secret_not_writable', secret);
        },
      );
    },
    enabled: (secret) => inState(secret, ['ENABLED', 1]),
    disabled: (secret) => inState(secret, ['DISABLED', 2]),
    async enable(secret, version) {
      await client.enableSecretVersion({ name: `${named(secret)}/versions/${version}` }, WRITING).catch((error: unknown) => {
        throw failureOf(error, 'secret_not_writable', secret);
      });
    },
    async read(secret, version) {
      const [{ payload }] = await client
        .accessSecretVersion({ name: `${named(secret)}/versions/${version}` }, READING)
        .catch((error: unknown) => {
          throw failureOf(error, 'secret_unreadable', secret);
        });
      return new SecretString(Buffer.from(payload?.data ?? '').toString('utf8'));
    },
    async create(secret) {
      const make = () =>
        client.createSecret({ parent: `projects/${project}`, secretId: secret, secret: { replication: { automatic: {} } } }, WRITING);
      const tried = (ifThere: boolean) => (error: unknown) => {
        if (codeOf(error) === ALREADY_EXISTS) return ifThere;
        throw failureOf(error, 'secret_not_writable', secret);
      };
      return make().then(
        () => true,
        // After a lost answer it is asked for once more: if the secret is there then, the first try has made it.
        (error: unknown) => (CODES[codeOf(error)] ? tried(false)(error) : make().then(() => true, tried(true))),
      );
    },
    async add(secret, payload) {
      const request = { parent: named(secret), payload: { data: Buffer.from(payload.reveal()) } };
      const [{ name }] = await client.addSecretVersion(request, WRITING).catch((error: unknown) => {
        throw failureOf(error, 'secret_not_writable', secret);
      });
      return numberOf(name);
    },
    async removeEmpty(secret) {
      try {
        const [{ etag }] = await client.getSecret({ name: named(secret) }, READING);
        const [versions] = await client.listSecretVersions({ parent: named(secret) }, READING);
        if (versions.length > 0) return false;
        await client.deleteSecret({ name: named(secret), etag: etag ?? null }, WRITING);
        return true;
      } catch (error) {
        throw failureOf(error, 'secret_not_writable', secret);
      }
    },
    async disable(secret, version) {
      await client.disableSecretVersion({ name: `${named(secret)}/versions/${version}` }, WRITING).catch((error: unknown) => {
        throw failureOf(error, 'secret_not_writable', secret);
      });
    },
  };
}

const UNAVAILABLE = 14;
/** Google's client repeats a read for a minute by default; an operator waits for it. */
const READING = {
  retry: {
    retryCodes: [UNAVAILABLE],
    backoffSettings: {
      initialRetryDelayMillis: 200,
      retryDelayMultiplier: 3,
      maxRetryDelayMillis: 2_000,
      initialRpcTimeoutMillis: 10_000,
      rpcTimeoutMultiplier: 1,
      maxRpcTimeoutMillis: 10_000,
      maxRetries: 3,
    },
  },
};
/** A write is not repeated here: the command looks whether it took effect. */
const WRITING = { retry: null, timeout: 15_000 };

const NOT_FOUND = 5; // gRPC's number, which the client uses over REST too
const ALREADY_EXISTS = 6;
const CODES: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  9: 'FAILED_PRECONDITION',
};

const codeOf = (error: unknown): number => Number((error as { code?: unknown } | null)?.code);
const numberOf = (name: string | null | undefined): number => Number(/(\d+)$/.exec(name ?? '')?.[1]);

/** Keeps only the client's code: the error object may hold the payload. */
function failureOf(error: unknown, code: 'secret_unreadable' | 'secret_not_writable', secret: string): CommandError | MailFailure {
  if (error instanceof CommandError || error instanceof MailFailure) return error;
  const number = codeOf(error);
  if (number === 16) return new MailFailure('identity_refused', 'Secret Manager does not accept the credentials');
  if (/has not been used in project|SERVICE_DISABLED/.test(error instanceof Error ? error.message : ''))
    return new MailFailure('api_disabled', 'Secret Manager is not enabled in the project');
  if (CODES[number]) return new CommandError(code, `Secret Manager answered ${CODES[number]} for the secret ${secret}`);
  return new MailFailure('google_unavailable', 'Secret Manager did not answer');
}

async function clientFor(operator: Operator): Promise<SecretManagerServiceClient> {
  const { SecretManagerServiceClient } = await import('@google-cloud/secret-manager');
  const { urls, project } = operator.settings;
  const authClient = await loginOf(operator);
  const { protocol, hostname, port } = new URL(urls.secrets);
  const address =
    urls.secrets === googleUrls('').secrets ? {} : { protocol: protocol.slice(0, -1), apiEndpoint: hostname, port: Number(port) };
  return new SecretManagerServiceClient({ fallback: true, projectId: project, authClient, ...address } as never);
}
