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
    in: [/\/apis?\/(?:api\/)?([a-z]+\.googleapis\.com)/i, /service[^a-z]{1,5}'?([a-z]+\.googleapis\.com)/i],
    else: 'gmail.googleapis.com',
  },
} as const;

type Fact = keyof typeof FACTS;

/** What the text says of project, secret and API; a placeholder where it does not. */
export function readFacts(flat: string): Record<Fact, string> {
  const read = (name: Fact): string => FACTS[name].in.map((pattern) => pattern.exec(flat)?.[1]).find(Boolean) ?? FACTS[name].else;
  return { project: read('project'), secret: read('secret'), api: read('api') };
}

/** A step with its `{names}` filled in. */
export const fillFacts = (step: string, facts: Record<Fact, string>): string =>
  step.replace(/\{(project|secret|api)\}/g, (_, name: Fact) => facts[name]);
