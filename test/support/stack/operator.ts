import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Terminal } from '../../../functions/cli/common/terminal.ts';
import { runGrantCommand } from '../../../functions/cli/grants/run-grant-command.ts';
import { loadConfig } from '../../../functions/config/load-config.ts';
import { type Google, type GoogleOptions, startGoogle } from '../../../functions/fake-google/google.ts';
import { connect } from '../../../functions/google/connect.ts';
import { type Choice, consentAt } from '../programs/person.ts';
import { PROJECT, settingsFor } from './laptop.ts';

export const NOTICES = 'notices@example.com';
export const SALES = 'sales@example.com';
export const SECRET_ID = 'mailgrant-notices';

const YAML = `mailboxes:
  ${NOTICES}: { secret: ${SECRET_ID} }
  ${SALES}: { secret: mailgrant-sales }
  post@example.com: { secret: mailgrant-post, via: smtp }
  unverified@example.com: {}
  robot@example.com: { grant: delegation, delegate: d@laptop.iam.gserviceaccount.com }
  keyed@example.com: { grant: service-account-key }
`;

/** What a scripted person does when the consent page is shown: follows it, by default to its end. */
export type Person = (url: string, desk: Desk) => Promise<void>;

export const consents =
  (choice: Choice = {}): Person =>
  async (url, desk) =>
    desk.comeBack(await consentAt(url, choice));

/** An operator's desk: the fake Google, a config, a client file, and everything that was shown. */
export interface Desk extends AsyncDisposable {
  readonly google: Google;
  readonly folder: string;
  readonly configFile: string;
  readonly clientFile: string;
  /** All that was printed, answered or shown in the browser so far. */
  shown(): string;
  /** The browser is sent there; what it then shows is kept. */
  comeBack(location: string): Promise<void>;
  /** States of a secret's versions, oldest first; null if there is no such secret. */
  versions(secret?: string): Promise<string[] | null>;
  /** What a version holds. */
  payload(version: number, secret?: string): Promise<Record<string, unknown>>;
  /** Whether a function could mint for the mailbox now. */
  mints(address?: string): Promise<string>;
  run(verb: 'authorize' | 'rotate' | 'revoke', line: Line): Promise<Ran>;
}

export interface Line {
  readonly words?: readonly string[];
  readonly options?: Readonly<Record<string, string | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly person?: Person;
  readonly terminal?: Partial<Terminal>;
}

export interface Ran {
  readonly ok: boolean;
  readonly data: Record<string, unknown>;
  readonly text: string;
}

export async function startDesk(options: GoogleOptions = {}): Promise<Desk> {
  const google = await startGoogle({ accounts: [NOTICES, SALES], ...options });
  const folder = mkdtempSync(join(tmpdir(), 'mailgrant-'));
  const configFile = join(folder, 'mailgrant.yaml');
  const clientFile = join(folder, 'client.json');
  writeFileSync(configFile, YAML);
  writeFileSync(clientFile, JSON.stringify(google.clients.file('installed')));
  const shown: string[] = [];
  const secrets = async (path: string): Promise<Record<string, unknown>> => {
    const metadata = `${google.url}/computeMetadata/v1/instance/service-accounts/default/token`;
    const { access_token } = (await (await fetch(metadata, { headers: { 'metadata-flavor': 'Google' } })).json()) as {
      access_token: string;
    };
    const reply = await fetch(`${google.url}/v1/projects/${PROJECT}/secrets/${path}`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    return (await reply.json()) as Record<string, unknown>;
  };
  const desk: Desk = {
    google,
    folder,
    configFile,
    clientFile,
    shown: () => shown.join('\n'),
    async comeBack(location) {
      const reply = await fetch(location);
      shown.push(await reply.text());
    },
    async versions(secret = SECRET_ID) {
      const { versions } = (await secrets(`${secret}/versions`)) as { versions?: { state: string }[] };
      return versions?.map(({ state }) => state).reverse() ?? null;
    },
    async payload(version, secret = SECRET_ID) {
      const { payload } = (await secrets(`${secret}/versions/${version}:access`)) as { payload?: { data: string } };
      return JSON.parse(Buffer.from(payload?.data ?? 'e30=', 'base64').toString()) as Record<string, unknown>;
    },
    async mints(address = NOTICES) {
      const config = loadConfig(configFile);
      const mailbox = config.mailboxes.find((one) => one.address === address);
      const ports = connect(settingsFor(google.url, { config }), () => {}).startInvocation();
      return ports.token({ mailbox } as never).then(
        () => 'minted',
        ({ code }: { code: string }) => code,
      );
    },
    async run(verb, { words = [NOTICES], options: given = {}, env, person = consents(), terminal }) {
      const visits: Promise<void>[] = [];
      const screen: Terminal = {
        interactive: false,
        say: (line) => void shown.push(line),
        ask: async () => null,
        open: async (url) => {
          visits.push(person(url, desk));
          return true;
        },
        ...terminal,
      };
      const all = env ?? { MAILGRANT_GOOGLE_URL: google.url, GOOGLE_CLOUD_PROJECT: PROJECT };
      const { exitCode = 0, data, text } = await runGrantCommand(verb, { config: configFile, ...given }, words, all, screen);
      await Promise.all(visits);
      shown.push(JSON.stringify(data), text);
      return { ok: exitCode === 0, data: data as Record<string, unknown>, text };
    },
    [Symbol.asyncDispose]: () => google[Symbol.asyncDispose](),
  };
  return desk;
}
