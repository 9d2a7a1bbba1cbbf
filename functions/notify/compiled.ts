import type { Limits } from '../mail/model/config.ts';
import type { Expression } from './conditions/event.ts';
import type { Spec } from './templates/render.ts';

/** A route as the build compiled it. */
export interface CompiledRoute {
  readonly name: string;
  readonly from: { readonly address: string; readonly name: string };
  /** See Route: the recipients that it may write to. */
  readonly only: readonly string[] | null;
  readonly when: Expression | null;
  readonly dedupe: Expression | null;
  readonly everyMs: number | null;
  readonly to: readonly Spec[];
  readonly cc: readonly Spec[];
  readonly bcc: readonly Spec[];
  readonly replyTo: readonly Spec[];
  readonly subject: Spec | null;
  readonly headers: Readonly<Record<string, Spec>>;
  /** See Route. */
  readonly limits?: Limits;
  readonly template: string;
  /** Template of the digest of what `every` held back. */
  readonly digest: string;
}

/** The texts of an email; `text` is null where it is made from the html. */
export interface CompiledTemplate {
  readonly subject: Spec;
  readonly html: Spec;
  readonly text: Spec | null;
  /** True: a field of the event may be missing or of another type, see `helpersFor`. False: that is an error. */
  readonly optional: boolean;
  /** Paths such as `event.status`, at least one of which the event must have; an empty list requires none. */
  readonly needs: readonly string[];
}

/** Everything that the build compiles from routes and templates. */
export interface Compiled {
  readonly routes: Readonly<Record<string, CompiledRoute>>;
  readonly templates: Readonly<Record<string, CompiledTemplate>>;
  readonly partials: { readonly html: Readonly<Record<string, Spec>>; readonly text: Readonly<Record<string, Spec>> };
}

/** The build replaces this; in the uncompiled sources there is no route. */
export const compiled: Compiled = { routes: {}, templates: {}, partials: { html: {}, text: {} } };
