/** The variables of a deployment that are needed before Terraform reads them itself. */
export interface Tfvars {
  readonly project?: string;
  readonly region?: string;
  readonly prefix?: string;
  /** Names of all variables that are set. */
  readonly names: readonly string[];
}

/**
 * Reads the plain strings of a .tfvars file. The lines of an object are indented, as `terraform fmt` writes them, and are skipped.
 */
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

/** Two files; as in Terraform, the later one wins. */
export const bothTfvars = (first: Tfvars, later: Tfvars): Tfvars => ({ ...first, ...later, names: [...first.names, ...later.names] });

/** The text with `name = value` in place of an earlier value, or at its end; null where the earlier value has several lines. */
export function withTfvar(text: string, name: string, value: string): string | null {
  const line = `${name} = ${value}`;
  const [there] = new RegExp(`^${name}\\s*=.*$`, 'm').exec(text) ?? [];
  if (there !== undefined) return /[{[(]\s*(#.*)?$/.test(there) ? null : text.replace(there, () => line);
  return `${text.replace(/([^\n])$/, '$1\n')}${line}\n`;
}
