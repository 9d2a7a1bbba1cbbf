/** A statement about Google's behaviour that mailgrant relies on. */
export interface Assumption {
  /** Never renamed: reports name it. */
  readonly id: string;
  readonly sentence: string;
  readonly why: string;
  /** What mailgrant does if the statement is false. */
  readonly otherwise: string;
  /** Where Google says so; `undocumented` where we found nothing. */
  readonly source: string;
  /** How `verify-live` tries it; null where a mailbox cannot show it, and then `shown` says what does. */
  readonly tried: string | null;
  readonly shown?: string;
}

const UPLOADS = 'developers.google.com/workspace/gmail/api/guides/uploads';

/**
 * Everything that mailgrant assumes about Google, grouped by what relies on it. docs/assumptions.md is generated from this list.
 */
export const ASSUMPTIONS = [
  {
    id: 'lost-reply-is-told',
    sentence: 'A session that took a message answers a question with 200 or 201 and the message.',
    why: 'After a lost reply this answer is what keeps a message from being sent twice.',
    otherwise: 'Another answer leaves the email `unknown`, for an operator; it is not sent again.',
    source: UPLOADS,
    tried: 'One email goes through the whole of mailgrant, the reply is dropped, and its session is asked.',
  },
  {
    id: 'refusal-sends-nothing',
    sentence: 'A 4xx to a whole message means that Gmail did not take it.',
    why: 'What was refused is called failed, or is begun anew.',
    otherwise: 'The session is asked once before the email is called failed; if it took the message, the email is `sent`.',
    source: 'undocumented; googleapis/google-api-python-client#1474 reports the opposite of the plain send',
    tried: 'A message whose To is no address is sent, and its session is asked.',
  },
  {
    id: 'whole-is-answered-at-once',
    sentence: 'The last byte is answered by 200 or 201, not by a 308.',
    why: 'A 308 that names all bytes says neither that the message was sent nor that it was not.',
    otherwise: 'Only the session decides: it is asked until it answers otherwise, else the email is `unknown`.',
    source: UPLOADS,
    tried: 'The answers to all whole messages of the run are looked at.',
  },
  {
    id: 'range-is-kept',
    sentence: 'The Range of a 308 says how many bytes the session keeps, and the rest completes the message.',
    why: 'A large message goes on from there after a break.',
    otherwise: 'A shorter Range is followed; if Gmail refuses the rest, the email is `unknown`.',
    source: UPLOADS,
    tried: 'The first 256 KiB of a message, a question, then the rest.',
  },
  {
    id: 'cut-transfer-continues',
    sentence: 'A session whose transfer was cut off still answers and can be continued.',
    why: 'A connection may break at any byte.',
    otherwise: 'A session that is gone leaves the email `unknown`.',
    source: UPLOADS,
    tried: 'A transfer is cut off in the middle, the session is asked and continued.',
  },
  {
    id: 'one-session-one-message',
    sentence: 'One session makes at most one message, also when two transfers of the whole arrive at once.',
    why: 'An invocation that stood still may go on beside the one that took its email over.',
    otherwise: 'Nothing prevents the second message; a lease makes the case rare.',
    source: 'undocumented',
    tried: 'The same bytes are sent twice at once into one session; both answers must name one message.',
  },
  {
    id: 'session-lives-a-week',
    sentence: 'A finished session answers for a week.',
    why: 'An email whose reply was lost may be asked about for days.',
    otherwise: 'A session that is gone earlier leaves the email `unknown`.',
    source: `${UPLOADS} (a session expires after about a week; how long a finished one answers is undocumented)`,
    tried: 'With `--sessions FILE` the sessions of a run are kept, and a later run asks them again.',
  },
  {
    id: 'gone-session-is-404-or-410',
    sentence: 'A session that Gmail does not know is answered by 404 or 410.',
    why: 'These two alone are read as "gone".',
    otherwise: 'Any other answer leaves the question open: the email is asked about again, and is `unknown` in the end.',
    source: UPLOADS,
    tried: 'A session with an altered id is asked.',
  },
  {
    id: 'send-scope-asks',
    sentence: 'The scope gmail.send is enough to ask a session.',
    why: 'Mailboxes of `via: api` have no other scope.',
    otherwise: 'Each lost reply leaves an `unknown` email; a mailbox with the scope of `via: smtp` is not affected.',
    source: UPLOADS,
    tried: 'A session is asked with a token that has no other scope of Gmail.',
  },
  {
    id: 'second-token-may-ask',
    sentence: 'A session belongs to the mailbox: another token of it may ask.',
    why: 'Another invocation asks with a token of its own.',
    otherwise: 'A refusal leaves the question open, and the email `unknown`.',
    source: 'undocumented',
    tried: 'A session is asked with a second token.',
  },
  {
    id: 'thread-id-in-answer',
    sentence: 'The answer that takes a message names its thread.',
    why: 'The ledger keeps it, so that a person finds the message in Sent.',
    otherwise: 'The ledger has the message id alone.',
    source: 'developers.google.com/workspace/gmail/api/reference/rest/v1/users.messages',
    tried: 'The answer to a message is looked at.',
  },
  {
    id: 'message-id-is-kept',
    sentence: 'Gmail keeps the Message-ID that a message brings.',
    why: 'Over SMTP a lost reply is settled by a search for it.',
    otherwise:
      'Over the API nothing rests on it. Over SMTP it is then looked for among the newest sent messages, by `X-Mailgrant-Id` and `X-Google-Original-Message-ID`; not found there either, it is sent once more at most, then the email is `unknown`.',
    source: 'undocumented; FlowCrypt/flowcrypt-browser#4273 and xhit/go-simple-mail#47 report replaced ones',
    tried: 'The headers of a sent message are read; the grant must be able to read.',
  },
  {
    id: 'own-header-is-kept',
    sentence: 'Gmail keeps a header of our own, `X-Mailgrant-Id`.',
    why: 'It tells a person which email of the ledger a message in Sent is; over SMTP the message is found by it if its Message-ID was replaced.',
    otherwise: "Gmail's own id and the thread id are in the ledger.",
    source: 'undocumented',
    tried: 'The headers of a sent message are read; the grant must be able to read.',
  },
  {
    id: 'encoded-names-are-kept',
    sentence: 'Encoded-words in display names arrive as they were sent.',
    why: 'A name beyond ASCII must not be lost.',
    otherwise: 'The recipient sees another name; nothing else depends on it.',
    source: 'undocumented',
    tried: 'The headers of a sent message are read; the grant must be able to read.',
  },
  {
    id: 'empty-group-is-accepted',
    sentence: '`To: undisclosed-recipients:;` with recipients in Bcc is accepted.',
    why: 'An email that has only Bcc recipients is written so.',
    otherwise: 'Such an email is `failed` with `mail_refused`.',
    source: 'undocumented (RFC 5322 3.4 allows it)',
    tried: 'Such a message is sent.',
  },
  {
    id: 'equal-messages-are-two',
    sentence: 'Two equal messages in two sessions are two messages.',
    why: 'An operator who resends expects a message.',
    otherwise: 'A wanted repetition does not arrive; nothing is sent twice.',
    source: 'undocumented; googleapis/google-api-nodejs-client#3575 reports that four equal ones arrived as one',
    tried: 'The same bytes are sent in two sessions; the answers must name two messages.',
  },
  {
    id: 'search-finds-in-seconds',
    sentence: 'A search for `rfc822msgid:` finds a message seven seconds after it was sent.',
    why: 'Over SMTP a lost reply is settled by this search.',
    otherwise:
      'The newest sent messages are looked at one by one. Not found there, it is sent once more at most, then the email is `unknown`.',
    source: 'undocumented',
    tried: 'A sent message is searched for after 0, 1, 3 and 7 seconds; the grant must be able to read.',
  },
  {
    id: 'minute-quota-is-named',
    sentence: 'A 429 or 403 of the per-minute quota names rateLimitExceeded, userRateLimitExceeded or RATE_LIMIT_EXCEEDED.',
    why: 'The email waits for a minute, not for a day, and does not fail.',
    otherwise: 'A 429 is taken for the per-minute quota all the same; a 403 without a known reason fails the email as `unexpected`.',
    source: 'developers.google.com/workspace/gmail/api/guides/handle-errors',
    tried: 'Only looked at if the run meets one: it is not provoked.',
  },
  {
    id: 'task-names-stay-taken',
    sentence: 'Cloud Tasks answers 409 for the name of a task that exists, and for some time for one that has run.',
    why: 'A 409 does not prove that a task is pending.',
    otherwise: 'The task is looked for; where it is gone, the message is published at once.',
    source: 'cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks/create',
    tried: null,
    shown: 'the tests of `google/queue` and the exploration, against a fake that does both',
  },
  {
    id: 'commit-is-atomic',
    sentence: 'A Firestore commit is applied with all of its preconditions or not at all, and ABORTED means not at all.',
    why: 'Of two invocations that claim an email, one wins.',
    otherwise: 'After a lost or ABORTED commit the entry is read again, and only an equal one counts as written.',
    source: 'cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents/commit',
    tried: null,
    shown: "the ledger's contract against Google's Firestore emulator, and `npm run chaos`",
  },
  {
    id: 'pushes-are-repeated',
    sentence: 'Pub/Sub delivers a message again until it is acknowledged, sometimes twice at once.',
    why: 'Nothing else brings an email back to a worker that died.',
    otherwise: 'A second delivery at the same time finds the lease of the first one.',
    source: 'cloud.google.com/pubsub/docs/subscription-overview',
    tried: null,
    shown: "`npm run chaos`, against Google's Pub/Sub emulator",
  },
] as const satisfies readonly Assumption[];

export type AssumptionId = (typeof ASSUMPTIONS)[number]['id'];
/** The assumptions that verify-live tries. */
export type TriedId = Extract<(typeof ASSUMPTIONS)[number], { readonly tried: string }>['id'];
