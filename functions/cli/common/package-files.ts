import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// A checkout runs its sources as they are; an installed package has what they were compiled to, in lib/.
const COMPILED = import.meta.url.endsWith('.js');

/** A file of mailgrant itself, wherever it is installed; named from its root. */
export const packageFile = (path: string): string => join(fileURLToPath(new URL('../../../', import.meta.url)), path);

/** The path of a module, named from `functions/` without extension. */
export const moduleFile = (path: string): string => packageFile(COMPILED ? `lib/${path}.js` : `functions/${path}.ts`);

/** The lock of what a deployed function installs: the checkout's own, or the part of it that the package carries. */
export const lockFile = (): string => packageFile(COMPILED ? 'lib/package-lock.json' : 'package-lock.json');

/** The version of mailgrant that runs. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { readonly version: string }).version;
