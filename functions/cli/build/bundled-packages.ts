import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package of npm that went into a bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier or expression, as its package.json says; '' where it says nothing. */
  readonly license: string;
  /** The texts of its licence and notice files; none where it ships none. */
  readonly texts: readonly string[];
  /** Its folder, as package-lock.json names it. */
  readonly folder: string;
}

const FOLDER = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** The packages of a bundle's files, by name and version. `files` are paths as the bundler saw them. */
export function bundledPackages(files: readonly string[]): BundledPackage[] {
  const folders = new Map(
    files.flatMap((file) => {
      const at = FOLDER.exec(file);
      return at ? [[file.slice(0, at[0].length - 1), at[1] ?? ''] as const] : [];
    }),
  );
  const packages = [...folders].map(([folder, inLock]): BundledPackage => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
      license?: string | { type?: string };
    };
    const texts = readdirSync(folder)
      .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
    return { name, version, license: typeof license === 'string' ? license : (license?.type ?? ''), texts, folder: inLock };
  });
  return packages.sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

/** The licence texts to ship: each text once, with the packages that it applies to. */
export function licenceTexts(packages: readonly BundledPackage[]): string {
  const byText = new Map<string, string[]>();
  for (const { name, version, license, texts } of packages)
    for (const text of texts.length > 0 ? texts : [`(ships no licence file; its package.json says: ${license || 'nothing'})`])
      byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  const parts = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  return `Packages of others that are part of this bundle, with their licences.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}
