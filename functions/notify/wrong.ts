/** What a helper of a template cannot take. Never leaves this folder, and never quotes a value. */
export class Wrong extends Error {}
