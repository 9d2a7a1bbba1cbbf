/** What the variables of a deployment say, as far as it is needed before Terraform reads them itself. */
export interface Tfvars {
  readonly project?: string;
  readonly region?: string;
  readonly prefix?: string;
  /** Names of all variables that are set. */
  readonly names: readonly string[];
}

/** Reads the plain strings of a .tfvars; a variable of an object is indented, as `terraform fmt` writes it, and not looked into. */
export function readTfvars(text: string): Tfvars {
  const said = new Map([...text.matchAll(/^(\w+)\s*=\s*"([^"\\$%]*)"/gm)].map(([, name = '', value = '']) => [name, value]));
  const [project, region, prefix] = [said.get('project_id'), said.get('region'), said.get('name_prefix')];
  return {
    ...(project !== undefined && { project }),
    ...(region !== undefined && { region }),
    ...(prefix !== undefined && { prefix }),
    names: [...text.matchAll(/^(\w+)\s*=/gm)].map(([, name = '']) => name),
  };
}

/** Two files, of which Terraform lets the later one win. */
export const bothTfvars = (first: Tfvars, later: Tfvars): Tfvars => ({ ...first, ...later, names: [...first.names, ...later.names] });

/** The text with `name = value` in place of what it said of that name, or at its end; null where it says it on several lines. */
export function withTfvar(text: string, name: string, value: string): string | null {
  const line = `${name} = ${value}`;
  const [there] = new RegExp(`^${name}\\s*=.*$`, 'm').exec(text) ?? [];
  if (there !== undefined) return /[{[(]\s*(#.*)?$/.test(there) ? null : text.replace(there, () => line);
  return `${text.replace(/([^\n])$/, '$1\n')}${line}\n`;
}
