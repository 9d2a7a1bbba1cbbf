/** What can be relied on in an error of Google's REST APIs: its status word, reasons and message. */
export interface GoogleError {
  readonly status: string;
  /** `errors[].reason` and the reasons of `details`. */
  readonly reasons: readonly string[];
  readonly message: string;
}

type Body = { error?: { status?: unknown; message?: unknown; errors?: { reason?: unknown }[]; details?: { reason?: unknown }[] } } | null;

// A status and a reason are told in logs: whatever is no single word of Google's is none of them, since it might quote the mail.
const WORD = /^[\w.-]{1,80}$/;

/** Reads `{"error": {code, message, errors, status, details}}`; empty strings where something is missing. */
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
