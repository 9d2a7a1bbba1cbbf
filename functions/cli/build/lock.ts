/** The fields of one package in package-lock.json that are read here. */
interface Locked {
  readonly name?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
}

/** The package.json of a deployed function. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private: boolean;
  readonly main: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
}

/**
 * The part of the project's package-lock.json that a deployed function needs. With it Google's builder runs `npm ci` and installs
 * the tested versions; without it every deployment takes the newest versions of the framework's dependencies.
 */
export function lockFor({ name, version, dependencies, engines }: Manifest, { lockfileVersion, packages }: Lock): Lock {
  const needed = new Map<string, Locked>();
  const take = (from: string, wanted: string, required: boolean): void => {
    const path = resolve(packages, from, wanted);
    const found = path === null ? undefined : packages[path];
    if (path === null || !found) {
      if (required) throw new Error(`package-lock.json: ${wanted} is missing; run npm install`);
      return;
    }
    if (needed.has(path)) return;
    needed.set(path, found);
    for (const next of Object.keys(found.dependencies ?? {})) take(path, next, true);
    for (const next of Object.keys(found.optionalDependencies ?? {})) take(path, next, false);
  };
  for (const wanted of Object.keys(dependencies)) take('', wanted, true);
  const sorted = [...needed].sort(([a], [b]) => (a < b ? -1 : 1));
  const made: Lock & { name: string; version: string; requires: boolean } = {
    name,
    version,
    lockfileVersion,
    requires: true,
    packages: { '': { name, version, dependencies, engines }, ...Object.fromEntries(sorted) },
  };
  return made;
}

/** As Node resolves packages: beside the asking package, then further and further up. */
function resolve(packages: Lock['packages'], from: string, wanted: string): string | null {
  for (let at = from; ; at = at.slice(0, Math.max(at.lastIndexOf('/node_modules/'), 0))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${wanted}`;
    if (packages[path]) return path;
    if (at === '') return null;
  }
}
