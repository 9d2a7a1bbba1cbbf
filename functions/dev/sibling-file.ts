import { fileURLToPath } from 'node:url';

// In the package the files are compiled to JavaScript; here they run as they are.
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** The path of another file of `functions/`, named from `functions/dev/` and without extension. */
export const siblingFile = (path: string): string => fileURLToPath(new URL(`./${path}.${EXTENSION}`, import.meta.url));
