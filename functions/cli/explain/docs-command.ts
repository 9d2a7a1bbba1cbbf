import { readFileSync, writeFileSync } from 'node:fs';
import { CLOUD_ROWS } from '../../diagnose/catalogue/cloud-rows.ts';
import { CONSENT_ROWS } from '../../diagnose/catalogue/consent-rows.ts';
import { GMAIL_ROWS } from '../../diagnose/catalogue/gmail-rows.ts';
import { NETWORK_ROWS } from '../../diagnose/catalogue/network-rows.ts';
import { OAUTH_ROWS } from '../../diagnose/catalogue/oauth-rows.ts';
import { PLATFORM_ROWS } from '../../diagnose/catalogue/platform-rows.ts';
import type { Row } from '../../diagnose/catalogue/row.ts';
import { SERVICE_ACCOUNT_ROWS } from '../../diagnose/catalogue/service-account-rows.ts';
import { SIGN_IN_ROWS } from '../../diagnose/catalogue/sign-in-rows.ts';
import { SMTP_ROWS } from '../../diagnose/catalogue/smtp-rows.ts';
import { TLS_ROWS } from '../../diagnose/catalogue/tls-rows.ts';
import { aboutCause } from '../../diagnose/causes/causes.ts';
import { explain, likelihood } from '../../diagnose/explain.ts';
import type { Leaf } from '../common/command.ts';

export const PAGE = 'docs/why-gmail-auth-fails.md';

const GROUPS: Readonly<Record<string, readonly Row[]>> = {
  'sign-in': SIGN_IN_ROWS,
  smtp: SMTP_ROWS,
  network: [...NETWORK_ROWS, ...TLS_ROWS],
  oauth: [...OAUTH_ROWS, ...CONSENT_ROWS, ...SERVICE_ACCOUNT_ROWS],
  api: [...GMAIL_ROWS, ...CLOUD_ROWS, ...PLATFORM_ROWS],
};

const TABLE = /(<!-- table: (explain|group) (.+?) -->\n)[\s\S]*?(<!-- end of table -->)/g;

/** The page with its tables made anew: `explain TEXT` ranks the causes of a text, `group NAME` lists rows of the catalogue. */
export const renderPage = (page: string): string =>
  page.replace(TABLE, (_, begin: string, kind: string, of: string, end: string) => {
    const rows = kind === 'explain' ? causesTable(of) : groupTable(of);
    return `${begin}${rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n')}\n${end}`;
  });

const cell = (text: string): string => text.replaceAll('|', '\\|');

function causesTable(text: string): string[][] {
  const rows = explain(text).matches.map(({ cause, confidence, likely, fix }) => [
    `\`${cause}\``,
    likelihood(confidence),
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

/** `docs`: the generated tables of the documentation. */
export const DOCS: Leaf = {
  summary: `make the tables of ${PAGE} from the catalogue`,
  options: { check: { about: 'write nothing; exit code 1 where the page is out of date' } },
  examples: ['docs --check'],
  async run(options) {
    const before = readFileSync(PAGE, 'utf8');
    const after = renderPage(before);
    const current = before === after;
    if (options['check']) {
      return {
        data: { file: PAGE, current },
        text: `${PAGE} is ${current ? 'up to date' : 'out of date: run `npm run docs`'}.`,
        exitCode: current ? 0 : 1,
      };
    }
    writeFileSync(PAGE, after);
    return { data: { file: PAGE, changed: !current }, text: `${PAGE} ${current ? 'was up to date' : 'was written'}.` };
  },
};
