/** What can be relied on in an error of Google's REST APIs: its status word, reasons and message. */
export interface GoogleError {
  readonly status: string;
  /** `errors[].reason` and the reasons of `details`. */
  readonly reasons: readonly string[];
  readonly message: string;
}

type Body = { error?: { status?: unknown; message?: unknown; errors?: { reason?: unknown }[]; details?: { reason?: unknown }[] } } | null;

/** Reads `{"error": {code, message, errors, status, details}}`; empty strings where something is missing. */
export function readGoogleError(body: unknown): GoogleError {
  const error = typeof body === 'object' ? (body as Body)?.error : undefined;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const list = (value: unknown): { reason?: unknown }[] => (Array.isArray(value) ? value : []);
  return {
    status: text(error?.status),
    message: text(error?.message),
    reasons: [...list(error?.errors), ...list(error?.details)].map((one) => text(one?.reason)).filter(Boolean),
  };
}
