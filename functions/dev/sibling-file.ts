import { fileURLToPath } from 'node:url';

// In the package the files are compiled to JavaScript; in a checkout they run as TypeScript.
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** The path of another file of `functions/`, relative to `functions/dev/` and without extension. */
export const siblingFile = (path: string): string => fileURLToPath(new URL(`./${path}.${EXTENSION}`, import.meta.url));
