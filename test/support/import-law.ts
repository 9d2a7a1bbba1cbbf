/** The rooms of `functions/`, each with its job and the rooms it may import; types count too, files of the same room are free. */
export interface Room {
  readonly job: string;
  /** Rooms, by their path below `functions/`. */
  readonly rooms: string;
  /** Packages and Node's own modules. */
  readonly packages?: RegExp;
  /** Modules of which only types may be imported: not a byte of them is in a bundle. */
  readonly types?: RegExp;
  /** No clock, randomness, network or environment: those come in as ports. */
  readonly pure?: true;
}

const SERVER_TYPES = /^node:http$/;
const GOOGLE_TYPES = /^googleapis\//;

export const ROOMS: Readonly<Record<string, Room>> = {
  '': {
    job: 'The functions that are deployed, one sentence each: connect the adapters, name the trigger.',
    rooms:
      'runtime google google/auth google/inspect google/bounces trigger trigger/common trigger/http trigger/pubsub trigger/hooks trigger/documents trigger/events trigger/inbox',
    packages: /^@google-cloud\/functions-framework$/,
  },
  runtime: {
    job: 'What a function is started with: environment, log line, HTTP server, function context.',
    rooms: 'mail/model mail/delivery',
    packages: /^node:/,
  },
  'mail/model': {
    job: 'Vocabulary: addresses, configuration types, failure table, secrets that cannot be printed.',
    rooms: '',
    pure: true,
  },
  // node:stream moves bytes within the process: nodemailer takes a large file in slices only as a stream.
  'mail/mime': {
    job: 'Parts of a MIME message: nodemailer, files, inline images, text from html, what Gmail limits.',
    rooms: '',
    packages: /^(nodemailer\/lib\/(mail-composer|mime-funcs)|html-to-text|htmlparser2|node:stream)$/,
    pure: true,
  },
  'mail/message': {
    job: 'A request becomes validated fields, then MIME bytes and envelope.',
    rooms: 'mail/model mail/mime',
    packages: /^chrono-node\/en$/,
    pure: true,
  },
  'mail/delivery': {
    job: 'One email, once: ledger entry, claim, attempt, outcome, rate limits.',
    rooms: 'mail/model mail/message',
    pure: true,
  },
  'mail/queue': {
    job: 'Queue messages: write, process, postpone, dead-letter.',
    rooms: 'mail/model mail/message mail/delivery',
    pure: true,
  },
  'mail/events': {
    job: 'What is told of an email: outbox, payload.',
    rooms: 'mail/model mail/delivery',
    pure: true,
  },
  'mail/bounces': {
    job: 'What came back: is a message a report, whose, about which email.',
    rooms: 'mail/model mail/delivery mail/events',
    pure: true,
  },
  mail: {
    job: 'The front door: accept one email, accept many, change one. Start reading here.',
    rooms: 'mail/model mail/message mail/delivery mail/queue',
    pure: true,
  },
  'verify/proof': { job: 'What proves where a webhook comes from: the form of a scheme, headers, MACs.', rooms: 'mail/model' },
  'verify/schemes': {
    job: 'One file a webhook vendor, and the table of them.',
    rooms: 'verify/proof mail/model',
    packages: /^standardwebhooks$/,
  },
  verify: { job: 'Is a webhook really its vendor’s; are its secrets usable.', rooms: 'verify/proof verify/schemes mail/model' },
  'diagnose/input': { job: 'A pasted text becomes clues, with its secrets masked.', rooms: '', pure: true },
  'diagnose/causes': { job: 'Why sending fails, and the fix.', rooms: '', pure: true },
  'diagnose/catalogue': {
    job: 'Which text means which cause.',
    rooms: 'diagnose/input diagnose/causes mail/model',
    pure: true,
  },
  diagnose: {
    job: '`explain`; from a failure code to a cause.',
    rooms: 'diagnose/input diagnose/causes diagnose/catalogue mail/model',
    pure: true,
  },
  // The parser of CEL and the compiler of Handlebars belong to the build; functions take what evaluates and renders.
  'notify/conditions': {
    job: 'CEL conditions: check, evaluate.',
    rooms: 'mail/model',
    packages: /^@bufbuild\/cel(\/ext)?$/,
    pure: true,
  },
  'notify/templates': {
    job: 'Handlebars templates: check, render.',
    rooms: 'mail/model',
    packages: /^handlebars(\/runtime\.js)?$/,
    pure: true,
  },
  notify: {
    job: 'An event becomes an email; many alike become a digest.',
    rooms: 'notify/conditions notify/templates mail mail/model mail/delivery mail/queue',
    pure: true,
  },
  'trigger/common': {
    job: 'What every trigger needs: body, JSON, paths, log lines, compiled routes, a template by its name.',
    rooms: 'runtime diagnose notify notify/templates mail/model mail/delivery mail/queue',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  'trigger/http': {
    job: 'The Resend-compatible API.',
    rooms: 'trigger/common runtime diagnose mail mail/model mail/message mail/delivery',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  'trigger/pubsub': {
    job: 'Pub/Sub push and CloudEvents.',
    rooms: 'trigger/common trigger/documents runtime notify mail/model mail/delivery mail/queue',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  'trigger/hooks': {
    job: 'Signed webhooks.',
    rooms: 'trigger/common runtime notify verify verify/proof mail/model mail/delivery',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  'trigger/documents': {
    job: 'Firestore documents in the form of Firebase’s Trigger Email.',
    rooms: 'trigger/common runtime mail/model mail/message mail/delivery mail/queue',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  'trigger/events': {
    job: 'Events of emails on their way to a URL.',
    rooms: 'trigger/common trigger/pubsub runtime verify/schemes mail/model mail/queue',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  'trigger/inbox': {
    job: 'Gmail’s notifications that a mailbox has new messages.',
    rooms: 'trigger/common trigger/pubsub runtime mail/model',
    packages: SERVER_TYPES,
    types: /^node:/,
  },
  trigger: { job: 'The scheduled check of every grant.', rooms: 'runtime diagnose mail/model', packages: SERVER_TYPES, types: /^node:/ },
  'google/http': { job: 'One HTTPS exchange; Google’s error body; retry.', rooms: 'mail/model', packages: /^node:/ },
  'google/auth': {
    job: 'Secret, grant, access token; identities.',
    rooms: 'google/http runtime mail/model',
    packages: /^(google-auth-library\/build\/|googleapis\/build\/|node:crypto$|node:timers\/promises$)/,
    types: GOOGLE_TYPES,
  },
  'google/gmail': {
    job: 'Gmail: upload session, search.',
    rooms: 'google/http mail/model mail/message mail/delivery',
    packages: /^googleapis\/build\//,
    types: GOOGLE_TYPES,
  },
  // Apart from the adapters: only the watch and the commands carry Google's clients.
  'google/inspect': {
    job: 'What Google’s own clients tell of a grant, for the watch and the doctor.',
    rooms: 'runtime mail/model',
    packages: /^(googleapis|google-auth-library)\/build\//,
  },
  'google/smtp': {
    job: 'Gmail over SMTP.',
    rooms: 'google/gmail runtime mail/model mail/message mail/delivery',
    packages: /^(nodemailer\/lib\/smtp-connection$|node:)/,
  },
  'google/firestore': {
    job: 'Firestore: ledger, dedupe windows, documents.',
    rooms: 'google/http runtime mail/model mail/delivery',
    packages: /^googleapis\/build\//,
    types: GOOGLE_TYPES,
  },
  'google/queue': {
    job: 'Pub/Sub topic, Cloud Tasks, bucket.',
    rooms: 'google/http runtime mail/model mail/delivery',
    packages: /^googleapis\/build\//,
    types: GOOGLE_TYPES,
  },
  'google/events': {
    job: 'Events of emails: handed over to Cloud Tasks and Pub/Sub, posted, swept.',
    rooms: 'google/http google/auth google/firestore google/queue runtime mail/model mail/delivery mail/events',
    packages: /^(googleapis\/build\/|node:)/,
    types: GOOGLE_TYPES,
  },
  // Off the path of every email: Google's own client reads the mailbox.
  'google/bounces': {
    job: 'Bounces: a mailbox read by Google’s client, how far it was read, what was found.',
    rooms: 'google/gmail google/firestore runtime mail/model mail/delivery mail/bounces',
    packages: /^((googleapis|google-auth-library)\/build\/|node:crypto$)/,
  },
  google: {
    job: 'Connects the adapters to the ports of `mail/`.',
    rooms:
      'google/http google/auth google/gmail google/firestore google/queue google/smtp google/events google/bounces runtime mail/model mail/delivery',
    packages: /^node:/,
  },
  config: {
    job: 'The schema of `mailgrant.yaml`, for the build and the commands.',
    rooms: 'mail/model mail/message notify verify/proof verify/schemes',
    packages: /^(zod|yaml|node:(fs|path|url))$/,
  },
  cli: {
    job: 'The commands: parse arguments, print. `main.ts` prints the result.',
    rooms:
      'cli/common cli/init dev cli/grants cli/verify-live cli/doctor cli/explain cli/build cli/deploy cli/ledger cli/keys cli/smtp cli/events cli/send',
    packages: /^(commander|@bomb\.sh\/tab\/commander|node:.*)$/,
  },
  'cli/init': {
    job: 'init: a project of one’s own.',
    rooms: 'cli/common mail/model',
    packages: /^node:/,
  },
  'cli/common': {
    job: 'What several commands share.',
    rooms: 'config runtime google/http google/auth mail/model',
    packages: /^(google-auth-library|@google-cloud\/secret-manager|googleapis\/build\/.*|@clack\/prompts|node:.*)$/,
  },
  'cli/grants': {
    job: 'authorize, rotate, revoke.',
    rooms: 'cli/common config google/http google/auth mail/model',
    packages: /^node:/,
  },
  'cli/verify-live': {
    job: 'What we assume of Gmail, tried on a real mailbox.',
    rooms: 'cli/common google google/http google/gmail mail/model mail/delivery mail/queue',
    packages: /^node:/,
  },
  'cli/doctor': {
    job: 'Why is email not being sent: doctor, watch.',
    rooms:
      'cli/common cli/settings cli/verify-live config diagnose diagnose/causes google google/http google/inspect mail/model mail/delivery',
    packages: /^(googleapis\/build\/|node:)/,
  },
  'cli/settings': {
    job: 'A password setup as an app has it: settings.py, environment, URL, questions.',
    rooms: 'mail/model',
    packages: /^node:/,
  },
  'cli/explain': {
    job: 'explain; the tables of docs/.',
    rooms: 'cli/common diagnose diagnose/catalogue diagnose/causes google mail/model',
    packages: /^node:fs$/,
  },
  'cli/build': {
    job: 'config, build: the archives that are deployed.',
    rooms: 'cli/common cli/ledger config', // config counts the emails that wait and would be refused
    packages: /^(esbuild|fflate|node:.*)$/,
  },
  'cli/deploy': {
    job: 'deploy, smoke.',
    rooms: 'cli/common cli/build cli/keys cli/ledger config google mail mail/model mail/delivery', // deploy makes the first key, and counts what waits
    packages: /^(googleapis\/build\/.*|node:.*)$/,
  },
  'cli/ledger': {
    job: 'Ledger, dead letters, suppressed recipients.',
    rooms: 'cli/common diagnose google google/http google/firestore mail/model mail/message mail/delivery mail/queue',
    packages: /^(googleapis\/build\/.*|node:fs)$/,
  },
  'cli/keys': { job: 'API keys.', rooms: 'cli/common config mail/model', packages: /^(yaml|node:.*)$/ },
  'cli/smtp': { job: 'The SMTP sidecar.', rooms: 'cli/common runtime google/http mail/model', packages: /^(smtp-server|node:.*)$/ },
  'cli/events': {
    job: 'test-route, preview, hook.',
    rooms: 'cli/common config notify notify/conditions verify mail/model mail/message mail/mime',
    packages: /^node:/,
  },
  'cli/send': { job: 'send.', rooms: 'cli/common mail/model', packages: /^node:/ },
  'fake-google/http': {
    job: 'Server, certificate, origin check and error replies of the fake Google.',
    rooms: '',
    packages: /^(selfsigned|node:.*)$/,
  },
  'fake-google/faults': { job: 'Fault injection.', rooms: 'fake-google/http', packages: /^node:/ },
  'fake-google/oauth': { job: 'Consent, tokens, signing.', rooms: 'fake-google/http mail/model', packages: /^node:/ },
  'fake-google/services': {
    job: 'Gmail, SMTP, Firestore, Pub/Sub, Tasks, Storage, Secret Manager.',
    rooms: 'fake-google/http fake-google/faults fake-google/oauth mail/model',
    packages: /^(smtp-server|node:.*)$/,
  },
  'fake-google': {
    job: 'Starts the fake Google; one file of tables.',
    rooms: 'fake-google/http fake-google/faults fake-google/oauth fake-google/services',
    packages: /^node:/,
  },
  inbox: {
    job: 'What the fake Gmail took, to be listed, searched and waited for; its API in the shape of Mailpit’s.',
    rooms: 'fake-google fake-google/http',
    packages: /^(mailparser|htmlparser2|caniemail|node:.*)$/,
  },
  testing: { job: '`mailgrant/testing`: starts the local stack for other people’s tests.', rooms: '', packages: /^node:/ },
  'pages/parts': {
    job: 'Html, page frame, labels.',
    rooms: 'inbox fake-google fake-google/http fake-google/faults mail/model mail/delivery',
    packages: /^node:/,
  },
  // A page signs as a webhook's vendor would; it never imports a function.
  'pages/views': {
    job: 'One file a page.',
    rooms: 'pages/parts inbox fake-google fake-google/http fake-google/faults verify mail/model',
    packages: /^node:/,
  },
  pages: { job: 'The server of the local stack’s pages.', rooms: 'pages/parts pages/views inbox fake-google/http', packages: /^node:/ },
  dev: {
    job: '`npm start`: fake Google, functions and pages, started together.',
    rooms: 'cli/common config fake-google fake-google/http pages pages/parts verify mail/model mail/queue',
    packages: /^node:/,
  },
};

export const mayImport = (room: string): readonly string[] => (ROOMS[room]?.rooms ?? '').split(' ').filter(Boolean);

/** The map of CONTRIBUTING.md. */
export function roomsTable(): string {
  const name = (room: string): string => (room === '' ? '`functions/*.ts`' : `\`${room}/\``);
  const rows = Object.entries(ROOMS).map(([room, { job, pure }]) => {
    const list = mayImport(room);
    return `| ${name(room)}${pure ? ' (pure)' : ''} | ${job} | ${list.length === 0 ? '–' : list.map((one) => `\`${one}\``).join(', ')} |`;
  });
  return ['| room of `functions/` | job | may import |', '|---|---|---|', ...rows].join('\n');
}
