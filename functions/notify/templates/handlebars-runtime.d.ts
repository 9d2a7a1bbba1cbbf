// Its own declaration only adds to the whole library's, which is not what a function loads.
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
