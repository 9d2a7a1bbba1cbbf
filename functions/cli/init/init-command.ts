import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseAddress } from '../../mail/model/address.ts';
import type { CommandAnswer, CommandOptions, Leaf } from '../common/command.ts';
import { packageFile } from '../common/package-files.ts';
import { CommandError } from '../common/refusal.ts';
import { processTerminal } from '../common/terminal.ts';

/** The files of a new project. npm leaves a .gitignore out of a package, so it has another name there. */
const FILES = ['mailgrant.yaml', 'templates/welcome.hbs', 'infra/main.tf', 'cloudbuild.yaml', '.gitignore', 'README.md'] as const;
const PLACEHOLDER = 'notices@example.com';

/** `init [DIR]`: a project of one's own that uses the installed package. */
export const INIT: Leaf = {
  summary: 'write a project: mailgrant.yaml, templates/, infra/main.tf, cloudbuild.yaml, .gitignore, README.md',
  arguments: '[DIR]',
  options: {
    mailbox: { value: 'ADDRESS', about: `the first mailbox (asked for at a terminal, else ${PLACEHOLDER})` },
    'dry-run': { about: 'say what would be written' },
  },
  examples: ['init', 'init my-email --mailbox notices@yourdomain.com'],
  notes: 'Files that are there already are left as they are. Without a package.json one is written that needs this version of mailgrant.',
  run: (options, folder = '.') => init(options, folder),
};

async function init(options: CommandOptions, folder: string): Promise<CommandAnswer> {
  if (existsSync(join(folder, 'mailgrant.yaml'))) throw new CommandError('project_exists', `${folder} has a mailgrant.yaml already`);
  const mailbox = await mailboxFrom(options);
  const kept = [...FILES, 'package.json'].filter((file) => existsSync(join(folder, file)));
  const written = [...FILES, 'package.json'].filter((file) => !kept.includes(file));
  const data = { folder: resolve(folder), mailbox, written, kept };
  if (options['dry-run'] === true)
    return { data, text: [`Would write to ${data.folder}:`, ...written.map((file) => `  ${file}`)].join('\n') };
  for (const file of written) write(join(folder, file), file, mailbox, basename(data.folder));
  const there = relative('', data.folder);
  const next = [
    ...(there === '' ? [] : [`cd ${there}`]),
    ...(written.includes('package.json') ? ['npm install'] : []),
    'npx mailgrant dev',
  ];
  return {
    data: { ...data, next },
    text: [
      ...written.map((file) => `wrote  ${file}`),
      ...kept.map((file) => `kept   ${file}`),
      '',
      'Next:',
      ...next.map((one) => `  ${one}`),
    ].join('\n'),
  };
}

async function mailboxFrom(options: CommandOptions): Promise<string> {
  const terminal = processTerminal(process.env);
  const asked = options['mailbox'] === undefined && terminal.interactive && options['json'] !== true;
  const given = asked
    ? await terminal.ask(`The first mailbox (${PLACEHOLDER}): `, new AbortController().signal)
    : ((options['mailbox'] as string | undefined) ?? '');
  const address = (given ?? '').trim().toLowerCase() || PLACEHOLDER;
  if (!/^[^\s"'@{}]+@[a-z0-9.-]+\.[a-z0-9-]+$/.test(address) || !parseAddress(address))
    throw new CommandError('option_invalid', '--mailbox: expected an address such as notices@yourdomain.com');
  return address;
}

function write(path: string, file: string, mailbox: string, name: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file === 'package.json' ? manifest(name) : sourceOf(file).replaceAll(PLACEHOLDER, mailbox));
}

const sourceOf = (file: string): string => readFileSync(packageFile(join('packaging/project', file.replace(/^\./, ''))), 'utf8');

/** A package.json as npm writes it, with the version of mailgrant that made the project. */
function manifest(folder: string): string {
  const own = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  const name =
    folder
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'email';
  const project = { name, private: true, scripts: { start: 'mailgrant dev' }, dependencies: { mailgrant: own.version } };
  return `${JSON.stringify(project, null, 2)}\n`;
}
