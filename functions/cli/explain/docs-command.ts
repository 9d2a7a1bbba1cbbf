import { readFileSync, writeFileSync } from 'node:fs';
import { CLOUD_ROWS } from '../../diagnose/catalogue/cloud-rows.ts';
import { CONSENT_ROWS } from '../../diagnose/catalogue/consent-rows.ts';
import { GMAIL_ROWS } from '../../diagnose/catalogue/gmail-rows.ts';
import { NETWORK_ROWS } from '../../diagnose/catalogue/network-rows.ts';
import { OAUTH_ROWS } from '../../diagnose/catalogue/oauth-rows.ts';
import { PLATFORM_ROWS } from '../../diagnose/catalogue/platform-rows.ts';
import type { CatalogueRow } from '../../diagnose/catalogue/row.ts';
import { SERVICE_ACCOUNT_ROWS } from '../../diagnose/catalogue/service-account-rows.ts';
import { SIGN_IN_ROWS } from '../../diagnose/catalogue/sign-in-rows.ts';
import { SMTP_ROWS } from '../../diagnose/catalogue/smtp-rows.ts';
import { TLS_ROWS } from '../../diagnose/catalogue/tls-rows.ts';
import { aboutCause } from '../../diagnose/causes/causes.ts';
import { explain } from '../../diagnose/explain.ts';
import { ASSUMPTIONS, type Assumption } from '../../google/assumptions.ts';
import type { Leaf } from '../common/command.ts';
import { explainText } from './explain-command.ts';

/** The pages with generated tables. */
export const PAGES = ['docs/why-gmail-auth-fails.md', 'docs/answers.md', 'docs/assumptions.md'] as const;

const GROUPS: Readonly<Record<string, readonly CatalogueRow[]>> = {
  'sign-in': SIGN_IN_ROWS,
  smtp: SMTP_ROWS,
  network: [...NETWORK_ROWS, ...TLS_ROWS],
  oauth: [...OAUTH_ROWS, ...CONSENT_ROWS, ...SERVICE_ACCOUNT_ROWS],
  api: [...GMAIL_ROWS, ...CLOUD_ROWS, ...PLATFORM_ROWS],
};

const TABLE = /(<!-- table: (explain|group|assumptions) (.+?) -->\n)[\s\S]*?(<!-- end of table -->)/g;
const ANSWER = /(```text\n)((?:(?!```)[\s\S])*)(```\n\n<!-- answer -->\n)[\s\S]*?(<!-- end of answer -->)/g;

/**
 * The page with its tables generated again: `explain TEXT` ranks the causes of a text, `group NAME` lists rows of the catalogue,
 * `assumptions mailbox` lists the assumptions that `verify-live` tries, `assumptions elsewhere` the others. An answer is what `explain`
 * prints for the text in the block before it.
 */
export const renderPage = (page: string): string =>
  page
    .replace(TABLE, (_, begin: string, kind: string, of: string, end: string) => {
      const rows = kind === 'explain' ? causesTable(of) : kind === 'group' ? groupTable(of) : assumptionsTable(of === 'mailbox');
      return `${begin}${rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')}\n${end}`;
    })
    .replace(ANSWER, (_, open: string, text: string, between: string, end: string) => {
      return `${open}${text}${between}\`explain\` prints:\n\n\`\`\`text\n${explainText(explain(text))}\n\`\`\`\n${end}`;
    });

const cell = (text: string): string => text.replaceAll('|', '\\|');

function causesTable(text: string): string[][] {
  const rows = explain(text).matches.map(({ cause, likelihood, likely, fix }) => [
    `\`${cause}\``,
    likelihood,
    likely.join(' '),
    fix[0] ?? '',
  ]);
  return [['cause', 'how likely', 'how it comes about', 'first step'], ['---', '---', '---', '---'], ...rows];
}

function groupTable(name: string): string[][] {
  const rows = (GROUPS[name] ?? []).map(({ cause, said, retry }) => [said, `\`${cause}\``, aboutCause(cause).summary, retry]);
  const unique = [...new Map(rows.map((row) => [`${row[0]} ${row[1]}`, row])).values()];
  return [['what it says', 'cause', 'what is wrong', 'retry'], ['---', '---', '---', '---'], ...unique];
}

function assumptionsTable(onMailbox: boolean): string[][] {
  const rows = (ASSUMPTIONS as readonly Assumption[])
    .filter(({ tried }) => (tried !== null) === onMailbox)
    .map(({ id, sentence, why, otherwise, source, tried, shown }) => [`\`${id}\``, sentence, why, otherwise, source, tried ?? shown ?? '']);
  const head = ['id', 'what we assume', 'why it matters', 'if it does not hold', 'source', onMailbox ? 'how it is tried' : 'what shows it'];
  return [head, head.map(() => '---'), ...rows];
}

/** `docs`: the generated tables of the documentation. */
export const DOCS: Leaf = {
  summary: `make the tables of ${PAGES.join(' and ')} from the lists in the code`,
  options: { check: { about: 'write nothing; exit code 1 where a page is out of date' } },
  examples: ['docs --check'],
  async run(options) {
    const pages = PAGES.map((file) => {
      const before = readFileSync(file, 'utf8');
      const after = renderPage(before);
      return { file, after, current: before === after };
    });
    const outdated = pages.filter(({ current }) => !current).map(({ file }) => file);
    const current = outdated.length === 0;
    if (options['check']) {
      const text = current ? `${PAGES.join(' and ')} are up to date.` : `Out of date: ${outdated.join(', ')}; run \`npm run docs\`.`;
      return { data: { files: PAGES, outdated, current }, text, exitCode: current ? 0 : 1 };
    }
    for (const { file, after, current: same } of pages) if (!same) writeFileSync(file, after);
    return { data: { files: PAGES, written: outdated }, text: current ? 'The pages were up to date.' : `Written: ${outdated.join(', ')}.` };
  },
};
