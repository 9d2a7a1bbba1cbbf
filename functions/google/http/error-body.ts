/** The reliable parts of an error of Google's REST APIs: its status word, reasons and message. */
export interface GoogleError {
  readonly status: string;
  /** `errors[].reason` and the reasons of `details`. */
  readonly reasons: readonly string[];
  readonly message: string;
}

type Body = { error?: { status?: unknown; message?: unknown; errors?: { reason?: unknown }[]; details?: { reason?: unknown }[] } } | null;

// Logs contain the status and the reasons, so only single words are accepted: longer text might quote the email.
const WORD = /^[\w.-]{1,80}$/;

/** Reads `{"error": {code, message, errors, status, details}}`; an empty string for each missing part. */
export function readGoogleError(body: unknown): GoogleError {
  const error = typeof body === 'object' ? (body as Body)?.error : undefined;
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const word = (value: unknown): string => (WORD.test(text(value)) ? text(value) : '');
  const list = (value: unknown): { reason?: unknown }[] => (Array.isArray(value) ? value : []);
  return {
    status: word(error?.status),
    message: text(error?.message),
    reasons: [...list(error?.errors), ...list(error?.details)].map((one) => word(one?.reason)).filter(Boolean),
  };
}
