const HASHES = {
  sha1: { name: 'SHA-1', bytes: 20 },
  sha256: { name: 'SHA-256', bytes: 32 },
  sha512: { name: 'SHA-512', bytes: 64 },
} as const;

export type Algorithm = keyof typeof HASHES;

/** True if `mac` is the HMAC of the data under the secret; Web Crypto compares in constant time. */
export async function verifyMac(algorithm: Algorithm, secret: string, mac: Buffer, data: Uint8Array): Promise<boolean> {
  return crypto.subtle.verify('HMAC', await keyOf(algorithm, secret), new Uint8Array(mac), new Uint8Array(data));
}

/** The HMAC of the data under the secret. */
export async function makeMac(algorithm: Algorithm, secret: string, data: Uint8Array): Promise<Buffer> {
  return Buffer.from(await crypto.subtle.sign('HMAC', await keyOf(algorithm, secret), new Uint8Array(data)));
}

/** True for equal texts, compared in constant time: the code compares MACs of both under an ephemeral key. */
export async function sameText(given: string, wanted: string): Promise<boolean> {
  const passing = crypto.randomUUID();
  return verifyMac('sha256', passing, await makeMac('sha256', passing, Buffer.from(wanted)), Buffer.from(given));
}

/** The bytes of a signature, or null if the text is not its exact encoding: Buffer.from skips invalid characters and would accept other texts. */
export function decodeMac(text: string, encoding: 'hex' | 'base64', algorithm: Algorithm): Buffer | null {
  const wanted = encoding === 'hex' ? text.toLowerCase() : text;
  const bytes = Buffer.from(wanted, encoding);
  return bytes.length === HASHES[algorithm].bytes && bytes.toString(encoding) === wanted ? bytes : null;
}

const keyOf = (algorithm: Algorithm, secret: string) =>
  crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: HASHES[algorithm].name }, false, [
    'sign',
    'verify',
  ]);
