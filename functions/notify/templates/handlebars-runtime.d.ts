// The package's own declaration only extends that of the whole library, which a function does not load.
declare module 'handlebars/runtime.js' {
  const runtime: {
    template(spec: unknown): (context: unknown, options?: Readonly<Record<string, unknown>>) => string;
    SafeString: new (html: string) => { toHTML(): string };
    escapeExpression(text: string): string;
    helpers: Readonly<Record<string, (this: unknown, ...args: unknown[]) => unknown>>;
    Exception: new (message: string) => Error;
  };
  export default runtime;
}
