/** The app: sends a welcome through mailgrant. In production the two variables name the deployed function and a key of yours. */
export async function sendWelcome(
  to,
  { url, key, from } = { url: process.env.MAILGRANT_URL, key: process.env.MAILGRANT_KEY, from: process.env.MAIL_FROM },
) {
  const reply = await fetch(new URL('emails', `${url.replace(/\/+$/, '')}/`), {
    method: 'POST',
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json', 'Idempotency-Key': `welcome/${to}` },
    body: JSON.stringify({ from, to, subject: 'Welcome', text: `Hello ${to}, confirm at https://shop.example.com/confirm/7.` }),
  });
  if (!reply.ok) throw new Error(`not sent: ${reply.status}`);
  return (await reply.json()).id;
}
