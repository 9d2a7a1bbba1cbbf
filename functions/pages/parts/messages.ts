import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import type { Google } from '../../fake-google/google.ts';
import type { StoredMail } from '../../fake-google/services/message-store.ts';
import type { Entry } from '../../fake-google/tables.ts';

/** What a list shows of a letter that the laptop's Gmail took. Times are milliseconds since the epoch. */
export interface StoredMessage {
  readonly id: string;
  readonly mailbox: string;
  readonly recipients: readonly string[];
  readonly at: number;
  readonly size: number;
  readonly from: string;
  readonly subject: string;
  readonly attachments: readonly { filename?: string | undefined; contentType: string; size: number; cid?: string | undefined }[];
  /** The id under which the ledger knows it; null when its Message-ID is none of ours. */
  readonly mail: string | null;
}

export interface StoredMessages {
  /** Newest first; `matching` looks at subject, sender and recipients. */
  list(matching?: string): Promise<StoredMessage[]>;
  open(id: string): Promise<{ readonly letter: StoredMessage; readonly stored: StoredMail; readonly parsed: ParsedMail } | null>;
  /** The letters that became of a mail: one, if all is well. */
  of(mail: string): Promise<StoredMessage[]>;
}

/** Letters never change, so each is parsed once for the lists. */
export function createStoredMessages({ mails }: Google): StoredMessages {
  const known = new Map<string, StoredMessage>();
  const read = async (id: string): Promise<StoredMessage | null> => {
    const there = known.get(id);
    if (there) return there;
    const stored = mails.get(id);
    if (!stored) return null;
    const letter = summary(stored, await simpleParser(stored.raw, { skipTextToHtml: true }));
    known.set(id, letter);
    return letter;
  };
  const list = async (matching = ''): Promise<StoredMessage[]> => {
    const wanted = matching.trim().toLowerCase();
    const found: StoredMessage[] = [];
    for (const id of mails.ids()) {
      const letter = await read(id);
      if (letter && [letter.subject, letter.from, ...letter.recipients].some((text) => text.toLowerCase().includes(wanted)))
        found.push(letter);
    }
    return found;
  };
  return {
    list,
    async open(id) {
      const stored = mails.get(id);
      if (!stored) return null;
      const parsed = await simpleParser(stored.raw);
      return { stored, parsed, letter: summary(stored, parsed) };
    },
    of: async (mail) => (await list()).filter((letter) => letter.mail === mail),
  };
}

function summary({ id, mailbox, recipients, at, raw }: StoredMail, parsed: ParsedMail): StoredMessage {
  const attachments = parsed.attachments.map(({ filename, contentType, size, cid }) => ({ filename, contentType, size, cid }));
  const mail = /^<([0-9a-f-]{36})@/.exec(parsed.messageId ?? '')?.[1] ?? null;
  return {
    id,
    mailbox,
    recipients,
    at,
    size: raw.length,
    from: addressText(parsed.from),
    subject: parsed.subject ?? '',
    attachments,
    mail,
  };
}

/** The text of an address header. */
export function addressText(value: AddressObject | AddressObject[] | undefined): string {
  return [value ?? []]
    .flat()
    .map(({ text }) => text)
    .join(', ');
}

/** The ledger by the mails' ids. */
export const entriesOf = ({ ledgerEntries }: Google): Map<string, Entry> =>
  new Map(ledgerEntries().map((entry) => [String(entry['id']), entry]));
