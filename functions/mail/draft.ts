import type { Address } from './address.ts';
import { loadFiles } from './attachments.ts';
import type { Caller, Config } from './config.ts';
import { compose, type Letter, type Stamp } from './mime.ts';
import { authorise, checkCount } from './policy.ts';
import type { Ports } from './ports.ts';
import { fingerprint, parseRequest, type SendRequest } from './request.ts';
import { resolveSender, type Sender } from './sender.ts';

/** A mail that was checked and may be sent, whichever way it was asked for: as fields, or as a finished letter. */
export interface Draft {
  readonly sender: Sender;
  readonly recipients: readonly Address[];
  /** Fingerprint of what was asked for: equal for equal orders. */
  readonly payload: string;
  /** The letter; the same stamp gives the same bytes. */
  compose(stamp: Stamp, ports: Pick<Ports, 'fetchFile'>): Promise<Letter>;
}

/** Checks a mail in the shape of Resend's `POST /emails` against what its caller may do. Throws MailFailure. */
export function draftMail(body: unknown, caller: Caller, config: Config, digest: Ports['digest']): Draft {
  return draftRequest(parseRequest(body, config.attachments?.fetchFrom), caller, config, digest);
}

/** The same for a mail that was read from another form. Throws MailFailure. */
export function draftRequest(request: SendRequest, caller: Caller, config: Config, digest: Ports['digest']): Draft {
  authorise(caller, request);
  const sender = resolveSender(config, request.from);
  const recipients = [...request.to, ...request.cc, ...request.bcc];
  checkCount(recipients, sender.mailbox);
  return {
    sender,
    recipients,
    payload: fingerprint(request, digest),
    compose: async (stamp, { fetchFile }) =>
      compose({ ...request, attachments: await loadFiles(request.attachments, fetchFile) }, sender, stamp),
  };
}
