import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// A checkout runs its TypeScript sources; an installed package runs their compiled form in lib/.
const COMPILED = import.meta.url.endsWith('.js');

/** The path of one of mailgrant's own files, relative to its root, wherever it is installed. */
export const packageFile = (path: string): string => join(fileURLToPath(new URL('../../../', import.meta.url)), path);

/** The path of a module, relative to `functions/`, without extension. */
export const moduleFile = (path: string): string => packageFile(COMPILED ? `lib/${path}.js` : `functions/${path}.ts`);

/** The lock file for a deployed function: the checkout's own, or the part of it that the package carries. */
export const lockFile = (): string => packageFile(COMPILED ? 'lib/package-lock.json' : 'package-lock.json');

/** The version of mailgrant that is running. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { readonly version: string }).version;
