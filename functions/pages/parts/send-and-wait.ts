import type { PageContext } from './context.ts';

const TIMEOUT_MS = 10_000;

/** Sends by the api with the local stack's key, and waits for the email: returns its id in the inbox, or why it was refused. */
export async function sendAndWait(
  { urls, key, google, inbox }: PageContext,
  request: Readonly<Record<string, unknown>>,
): Promise<{ readonly id: string } | { readonly error: string }> {
  const reply = await fetch(`${urls.api}/emails`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(request),
  }).catch(() => null);
  const body = (await reply?.json().catch(() => null)) as { readonly id?: string; readonly message?: string } | null | undefined;
  const { id } = body ?? {};
  if (!reply?.ok || !id) return { error: body?.message ?? 'the api does not answer' };
  const until = AbortSignal.timeout(TIMEOUT_MS);
  const arrived = (): string | undefined => {
    const entry = google.ledgerEntry(id);
    return entry ? google.mailsOf(entry)[0] : undefined;
  };
  return new Promise((done) => {
    const look = (): void => {
      const found = arrived();
      if (found === undefined && !until.aborted) return;
      unwatch();
      until.removeEventListener('abort', look);
      done(found === undefined ? { error: `it was accepted as ${id}, and has not arrived within ${TIMEOUT_MS} ms` } : { id: found });
    };
    const unwatch = inbox.watch(look);
    until.addEventListener('abort', look);
    look();
  });
}
