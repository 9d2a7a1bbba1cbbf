/** Names that a fix can be filled with, where the text gives them. */
const FACTS = {
  project: {
    in: [
      /\bin project ([\w:.-]{3,40}?)[.,]? (?:before|or)/i,
      /[?&]project=([\w:.-]{3,40})/i,
      /\bprojects\/([\w:.-]{2,40})\/secrets/i,
      /project_number:(\d+)/i,
    ],
    else: 'PROJECT',
  },
  secret: { in: [/\/secrets\/([\w-]{1,255})/i], else: 'SECRET' },
  api: {
    in: [
      /\/apis?\/(?:api\/|library\/)?([a-z-]{1,60}\.googleapis\.com)/i,
      /service[^a-z]{1,5}'?([a-z-]{1,60}\.googleapis\.com)/i,
      /\b([a-z-]{1,60}\.googleapis\.com)\b.{0,80}(?:has not been used|is not enabled|it is disabled)/i,
    ],
    else: 'gmail.googleapis.com',
  },
} as const;

type Fact = keyof typeof FACTS;

/** APIs by the titles that Google's errors give them, where no host stands beside them. */
const TITLES: readonly (readonly [RegExp, string])[] = [
  [/Secret Manager API/i, 'secretmanager'],
  [/Firestore API/i, 'firestore'],
  [/Pub\/Sub API/i, 'pubsub'],
  [/Cloud Tasks API/i, 'cloudtasks'],
  [/IAM Service Account Credentials API/i, 'iamcredentials'],
  [/Identity and Access Management \(IAM\) API/i, 'iam'],
  [/Cloud Build API/i, 'cloudbuild'],
  [/Cloud Run (?:Admin )?API/i, 'run'],
  [/Cloud Functions API/i, 'cloudfunctions'],
  [/Eventarc API/i, 'eventarc'],
  [/Artifact Registry API/i, 'artifactregistry'],
  [/Cloud Resource Manager API/i, 'cloudresourcemanager'],
  [/People API/i, 'people'],
  [/Drive API/i, 'drive'],
  [/Calendar API/i, 'calendar-json'],
  [/Sheets API/i, 'sheets'],
  [/Cloud Scheduler API/i, 'cloudscheduler'],
  [/Monitoring API/i, 'monitoring'],
  [/Logging API/i, 'logging'],
];
const apiByTitle = (flat: string): string | undefined => {
  const [, name] = TITLES.find(([title]) => title.test(flat)) ?? [];
  return name && `${name}.googleapis.com`;
};

/** What the text says of project, secret and API; a placeholder where it does not. */
export function readFacts(flat: string): Record<Fact, string> {
  const read = (name: Fact): string => FACTS[name].in.map((pattern) => pattern.exec(flat)?.[1]).find(Boolean) ?? FACTS[name].else;
  const api = read('api');
  return { project: read('project'), secret: read('secret'), api: api === FACTS.api.else ? (apiByTitle(flat) ?? api) : api };
}

/** A step with its `{names}` filled in. */
export const fillFacts = (step: string, facts: Record<Fact, string>): string =>
  step.replace(/\{(project|secret|api)\}/g, (_, name: Fact) => facts[name]);
