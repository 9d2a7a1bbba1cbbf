/** What infra/terraform.tfvars says of a deployment, as far as it is needed before Terraform reads it itself. */
export interface Tfvars {
  readonly region?: string;
  readonly prefix?: string;
}

/** Reads the plain strings of a terraform.tfvars; a variable of an object is indented, as `terraform fmt` writes it, and not looked at. */
export function readTfvars(text: string): Tfvars {
  const said = new Map([...text.matchAll(/^(\w+)\s*=\s*"([^"\\$%]*)"/gm)].map(([, name = '', value = '']) => [name, value]));
  const [region, prefix] = [said.get('region'), said.get('name_prefix')];
  return { ...(region !== undefined && { region }), ...(prefix !== undefined && { prefix }) };
}
