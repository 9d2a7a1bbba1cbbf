import { globSync, readFileSync } from 'node:fs';

/** A fenced block of a page, and what its page says of running it. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The comment above the fence: why it is not run as it stands; null if it is. */
  readonly marker: string | null;
}

/** Every page that a reader is sent to; decisions and knowledge quote commands as evidence and are not among them. */
export const PAGES = globSync(['*.md', 'docs/*.md', 'clients/*/README.md', 'infra/README.md'])
  .filter((page) => page !== 'docs/KNOWLEDGE.md')
  .sort();

const FENCE = /(?:^<!-- ([^\n]+?) -->\n+)?^( *)```(\w+)\n([\s\S]*?)^ *```/gm;

/** The blocks of a page, top to bottom. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(FENCE)].map(({ 0: whole, 1: marker = null, 2: indent = '', 3: language = '', 4: code = '', index }) => ({
    page,
    line: text.slice(0, index + whole.indexOf('```')).split('\n').length,
    language,
    code: code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    marker,
  }));
}

/** What a block that is not run may say of itself; the second form names a test that runs it. */
export const MARKERS = [
  /^needs a Google account$/,
  /^run by (test\/\S+\.test\.ts|\.ci\/run)$/,
  /^part of a larger file$/,
  /^not run: .{10,}$/,
];
